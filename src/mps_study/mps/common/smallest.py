"""Which of the sets that a search asks about is the smallest that passes: what a spent budget leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants


@dataclass
class Smallest:
    """The smallest set so far: one mutant as it was asked, and how many pixels it keeps.

    Args:
        most: only a set of fewer pixels is one.
    """

    most: float = float("inf")
    mutant: Mutants | None = None

    def take(self, mutants: Mutants, passing: NDArray[np.bool_]) -> None:
        """Mind the smallest of the mutants that pass."""
        for row, pixels in improvements(mutants, passing, self.most):
            self.most, self.mutant = pixels, mutants.take(np.array([row]))


def improvements(mutants: Mutants, passing: NDArray[np.bool_], most: float) -> Iterator[tuple[int, int]]:
    """Row and pixels of each mutant that passes and keeps fewer than `most` pixels and than all such before it.

    Mutants that keep nothing are left out: that the baseline alone passes is no set, and has a status of its own.
    """
    for row in np.flatnonzero(passing).tolist():
        pixels = int(np.count_nonzero(mutants.mask(row)))
        if 0 < pixels < most:
            yield row, pixels
            most = pixels
