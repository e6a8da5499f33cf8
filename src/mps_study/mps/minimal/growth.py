"""Grows a sufficient set out of nothing, tile by tile: the one that brings the class nearest comes next.

Greedy insertion with lazy gains (Minoux 1978, Accelerated greedy algorithms for maximizing submodular set functions):
what a tile added when it was last tried says whether it is worth trying again now.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.evidence import evidence
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Cells, Grid, Kept
from mps_study.mps.types import Search

Promise = NDArray[np.int64]
"""(t,) the larger, the sooner a tile is deleted: as a rule the evidence left after its last deletion."""

TRIED_AGAIN = 8
"""Tiles, those with the largest gains when last tried, that each step tries again."""

_LADDER = 4


def grow(inquiry: Inquiry, grid: Grid, inside: Kept, steps: int, bulk: bool = True) -> Search[tuple[Kept, Promise]]:
    """Some tiles of `inside` (t,) bool, a set that passes, which pass as well; `inside` itself if none are found.

    A step adds the tile with which the target class has most evidence; ties go to the earlier tile. The first set
    that passes ends it. After `steps` steps tiles are added in growing numbers, if `bulk`. With it, the promise of the
    tiles: one that added little is a good one to delete.
    """
    kept, gains, now = grid.nothing(), np.zeros(grid.tiles, dtype=np.int64), 0
    for step in range(steps):
        tiles = _by_gain(gains, inside & ~kept)[: None if step == 0 else TRIED_AGAIN]
        if not tiles.size:
            return inside, -gains
        passing, found = yield from consider(inquiry, grid, grid.added(kept, tiles))
        gains[tiles] = found - now
        best = int(np.lexsort((tiles, -found, ~passing))[0])
        kept, now = grid.added(kept, tiles[[best]])[0], int(found[best])
        if passing[best]:
            return kept, -gains
    if not bulk:
        return inside, -gains
    kept = yield from _grow_in_bulk(inquiry, grid, kept, inside, _by_gain(gains, inside & ~kept))
    return kept, -gains


def consider(inquiry: Inquiry, grid: Grid, kept: NDArray[np.bool_]) -> Search[tuple[Kept, NDArray[np.int64]]]:
    """Of n sets (n, t) bool: (n,) bool which pass, and (n,) the evidence for the target class (see `evidence`)."""
    inquiry.calls += len(kept)
    reply = yield from inquiry.ask(Cells(grid.shape, label=inquiry.target.label, grid=grid, kept=kept))
    return inquiry.passes(reply), evidence(reply)


def remember(inquiry: Inquiry, grid: Grid, kept: Kept) -> None:
    """Make a passing set the candidate that is verified if the budget runs out."""
    inquiry.candidate = Cells(grid.shape, label=inquiry.target.label, grid=grid, kept=kept[None])


def _grow_in_bulk(inquiry: Inquiry, grid: Grid, kept: Kept, inside: Kept, tiles: NDArray[np.intp]) -> Search[Kept]:
    """Add 1, 2, 3, 5, 8, 12 ... of the tiles at once; the first set that passes counts."""
    counts = [1, 2]
    while counts[-1] < tiles.size:
        counts.append(counts[-1] * 3 // 2 + counts[-1] % 2)
    counts = [count for count in counts if count < tiles.size]
    for start in range(0, len(counts), _LADDER):
        some = counts[start : start + _LADDER]
        sets = np.repeat(kept[None], len(some), axis=0)
        for row, count in enumerate(some):
            sets[row, tiles[:count]] = True
        passing, _ = yield from consider(inquiry, grid, sets)
        if passing.any():
            first: Kept = sets[np.argmax(passing)]
            return first
    return inside


def _by_gain(gains: NDArray[np.int64], free: Kept) -> NDArray[np.intp]:
    """The free tiles, largest gain first, ties by position."""
    tiles = np.flatnonzero(free)
    return tiles[np.argsort(-gains[tiles], kind="stable")]
