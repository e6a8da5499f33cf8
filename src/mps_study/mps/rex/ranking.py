"""What a ranking is: a frozen dataclass of its parameters that gives each pixel a value. All: `rankings.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import Parameters
from mps_study.mps.common.terms import Terms
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Ranking
from mps_study.mps.types import Search

Landscape = NDArray[np.float32]
"""(h, w), the larger a value, the sooner its pixel is kept."""


@dataclass(frozen=True)
class Ranker(Parameters):
    """In which order pixels are kept. A new one says `landscape`."""

    needs_map: ClassVar[bool] = False
    """Whether the caller has to hand in a map of each image."""

    def fits(self, terms: Terms) -> None:
        """Raise ValueError where a parameter does not go with the search's terms."""

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """The map of the inquiry's image, of its shape."""
        raise NotImplementedError


def by_value(landscape: Landscape) -> Ranking:
    """Pixels of a map (h, w), largest first; ties by larger row, then larger column, as in rex-xai."""
    order = np.argsort(landscape.ravel(), kind="stable")[::-1]
    return Ranking(order, (landscape.shape[0], landscape.shape[1]))
