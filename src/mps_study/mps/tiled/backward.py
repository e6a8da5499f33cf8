"""Sufficient input subsets: tiles are removed one after the other, always the one whose loss costs least.

Carter, Mueller, Jain, Gifford 2019, What made you do this? Understanding black-box decisions with sufficient input
subsets (AISTATS). Their threshold is the search's floor: `confidence_floor: 0.9`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import consider
from mps_study.mps.minimal.tiles import Grid, Kept, grid
from mps_study.mps.tiled.on_tiles import OnTiles, as_mps, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Mps, Search

ASKED_AHEAD = 8


@dataclass(frozen=True)
class Backward(OnTiles):
    """The fewest of the tiles that backward selection removes last which are sufficient.

    Args:
        granularity: side of the tiles in pixels. The cost grows with the square of how many there are.
        at_once: tiles that one step removes; 1 in the paper, more in its sequel on large images.
    """

    granularity: int = whole(16, least=1)
    at_once: int = whole(8, least=1)

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set; the empty one if the baseline alone passes."""
        tiles = grid(inquiry.shape, self.granularity)
        if (yield from nothing_passes(inquiry, tiles)):
            return Found((yield from as_mps(inquiry, tiles, tiles.nothing(), certified=False)))
        removed = yield from removal_order(inquiry, tiles, to_begin_with(inquiry, tiles), self.at_once)
        return Found((yield from _shortest_end(inquiry, tiles, removed)))


def removal_order(inquiry: Inquiry, tiles: Grid, kept: Kept, at_once: int) -> Search[NDArray[np.intp]]:
    """(t,) the tiles of a set, the one that was removed first in front.

    A step asks about the set without each of its tiles, and removes those that leave the target class most evidence,
    that one first; ties by position.
    """
    kept, order = kept.copy(), [np.empty(0, dtype=np.intp)]
    while (left := np.flatnonzero(kept)).size:
        spared = left
        if left.size > 1:
            _, found = yield from consider(inquiry, tiles, tiles.without(kept, left))
            spared = left[np.lexsort((left, -found))][:at_once]
        kept[spared] = False
        order.append(spared)
    return np.concatenate(order)


def _shortest_end(inquiry: Inquiry, tiles: Grid, removed: NDArray[np.intp]) -> Search[Mps | None]:
    """The set of the last tiles of an order, as few as pass; None if not even all of them pass alone."""
    sets = np.zeros((removed.size, tiles.tiles), dtype=bool)
    for row in range(removed.size):
        sets[row:, removed[-1 - row]] = True
    for start in range(0, len(sets), ASKED_AHEAD):
        some = sets[start : start + ASKED_AHEAD]
        passing, _ = yield from consider(inquiry, tiles, some)
        for kept in some[passing]:
            if mps := (yield from as_mps(inquiry, tiles, kept, certified=False)):
                return mps
    return None
