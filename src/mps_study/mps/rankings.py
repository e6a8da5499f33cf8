"""Ways to order the pixels of an image; a sufficient set is a prefix of such an order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Ranking, Shape
from mps_study.mps.responsibility import responsibility_map
from mps_study.mps.types import Search


def by_value(landscape: NDArray[np.float32]) -> Ranking:
    """Pixels of a map (h, w), largest first; ties by larger row, then larger column, as in rex-xai."""
    order = np.argsort(landscape.ravel(), kind="stable")[::-1]
    return Ranking(order, (landscape.shape[0], landscape.shape[1]))


RANKINGS: dict[str, Callable[[Inquiry, Shape, str], Search[NDArray[np.float32]]]] = {
    "responsibility": responsibility_map,
}
"""Each returns a map (h, w) float32 whose larger values are kept first."""
