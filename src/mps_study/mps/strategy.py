"""What a strategy is: a frozen dataclass of its parameters that finds a set. Which there are: `strategies.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import Parameters
from mps_study.mps.common.terms import Terms
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.types import Curves, Found, Mps, Search

Mask = NDArray[np.bool_]
"""(h, w), True = kept."""


@dataclass(frozen=True)
class Strategy(Parameters):
    """How a set is found. A new one says `find`, and `asked_again` if it keeps to the inquiry's share and pixels."""

    asked_again: ClassVar[bool] = False
    """Whether it also finds sets at other floors and further sets of an image (`floors`, `several`)."""

    @property
    def tile(self) -> int:
        """Side in pixels of the squares in which pixels of a set are given back to the next one (`overlap`)."""
        return 4

    @property
    def needs_map(self) -> bool:
        """Whether the caller has to hand in a map of each image."""
        return False

    @property
    def curves_wanted(self) -> bool:
        """Whether there are curves, which `curves` draws if `find` has not."""
        return False

    def fits(self, terms: Terms) -> None:
        """Raise ValueError where a parameter does not go with the search's terms."""

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set of the inquiry's image."""
        raise NotImplementedError

    def curves(self, inquiry: Inquiry, first: Found) -> Search[Curves | None]:
        """Curves of what the first set was read from."""
        raise NotImplementedError

    def covering(self, region: Mask) -> Mask:
        """The smallest region that holds another (h, w) bool and that this strategy can search."""
        return region

    def find_inside(self, inquiry: Inquiry, region: Mask, first: Found) -> Search[Mps | None]:
        """A set within a region (h, w) bool that passes. `first` is what was found in the whole image."""
        inquiry.allowed, inquiry.candidate = region, None
        another = yield from self.find(inquiry)
        inquiry.allowed = None
        return another.mps
