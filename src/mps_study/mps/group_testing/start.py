"""Where the deletion starts: a set that was grown of coarse tiles, with some slack, or all that may be kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.group_testing.deletion import Sufficient, weighed
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import grow
from mps_study.mps.minimal.tiles import FIRST_STEPS, Grid, Kept
from mps_study.mps.types import Search

TRIED, ENOUGH, WORTH = 3, 1.5, 0.2
"""Tiles that are tried for slack; nats of it that are enough; nats that one must bring to be kept."""

FEW = 24
"""Tiles of a set, at most, in which another one is grown of finer tiles."""


class Start(NamedTuple):
    """A set that passes, and whether it was found tile by tile."""

    found: Sufficient
    soon: bool


def grown(inquiry: Inquiry, tiles: Grid, inside: Kept, loose: bool) -> Search[Start]:
    """A set of coarse tiles; `loose`: with slack, where it was found tile by tile."""
    kept, promise = yield from grow(inquiry, tiles, inside, FIRST_STEPS)
    soon = bool(kept.sum() <= FIRST_STEPS) and not np.array_equal(kept, inside)
    _, slack = yield from weighed(inquiry, tiles, kept[None])
    found = Sufficient(kept, slack[0])
    if soon and loose:
        found = yield from loosened(inquiry, tiles, inside, found, promise)
    return Start(found, soon)


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


def regrown(inquiry: Inquiry, tiles: Grid, found: Sufficient, steps: int) -> Search[Sufficient | None]:
    """A smaller set inside one of finer tiles, grown in so many steps; None where there is none, or it is large."""
    if found.kept.sum() > FEW:
        return None
    kept, _ = yield from grow(inquiry, tiles, found.kept, steps, bulk=False)
    if np.array_equal(kept, found.kept):
        return None
    _, slack = yield from weighed(inquiry, tiles, kept[None])
    return Sufficient(kept, slack[0])
