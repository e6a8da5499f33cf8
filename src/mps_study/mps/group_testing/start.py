"""Where the deletion starts: a set that was grown of coarse tiles, with some slack, or all that may be kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.group_testing.deletion import Sufficient, weighed
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import grow
from mps_study.mps.minimal.tiles import FIRST_STEPS, Grid, Kept
from mps_study.mps.types import Search

TRIED, ENOUGH, WORTH = 3, 1.5, 0.2
"""Tiles that are tried for slack; nats of it that are enough; nats that one must bring to be kept."""


def grown(inquiry: Inquiry, tiles: Grid, inside: Kept) -> Search[tuple[Sufficient, bool]]:
    """A set of coarse tiles that passes, and whether it was found tile by tile, soon."""
    kept, promise = yield from grow(inquiry, tiles, inside, FIRST_STEPS)
    easy = bool(kept.sum() <= FIRST_STEPS) and not np.array_equal(kept, inside)
    _, slack = yield from weighed(inquiry, tiles, kept[None])
    found = Sufficient(kept, slack[0])
    if easy:
        found = yield from loosened(inquiry, tiles, inside, found, promise)
    return found, easy


def loosened(
    inquiry: Inquiry, tiles: Grid, inside: Kept, found: Sufficient, promise: NDArray[np.int64]
) -> Search[Sufficient]:
    """The set with those of the next best tiles that raise its slack: room in which deletions pass."""
    others = np.flatnonzero(inside & ~found.kept)
    for tile in others[np.lexsort((others, promise[others]))][:TRIED]:
        if found.slack >= ENOUGH:
            break
        larger = tiles.added(found.kept, np.array([tile]))
        passing, slack = yield from weighed(inquiry, tiles, larger)
        if passing[0] and slack[0] > found.slack + WORTH:
            found = Sufficient(larger[0], slack[0])
    return found
