"""Makes a sufficient set smaller by deleting tiles, until it can spare none of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.growth import Promise, consider, remember
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.tiles import Grid, Kept
from mps_study.mps.types import Search

AT_ONCE = 4
"""Single-tile deletions in one question. More would score tiles against a set that is about to change."""


def prune(inquiry: Inquiry, grid: Grid, kept: Kept, promise: Promise, minimal: bool) -> Search[tuple[Kept, Promise]]:
    """What is left (t,) bool of a passing set when tiles have been deleted; it passes too. With it, the new promise.

    Deletions are tried a few at a time: first all tiles once, then again those that promise most; ties by position.
    Of the deletions that pass, as many as pass together are made.

    Passing is not monotone, so a tile that was needed may be spared once others are gone. With `minimal`, every tile
    left is therefore tried again after each deletion, and the result is 1-minimal: the last deletions that were
    tried are those of all its tiles, from the result itself, and all failed. Without, each tile is tried once.
    """
    promise = promise.copy()
    ever, tried = grid.nothing(), grid.nothing()
    while (left := np.flatnonzero(kept & ~tried)).size:
        tiles = left[np.lexsort((left, -promise[left], ever[left]))][:AT_ONCE]
        passing, promise[tiles] = yield from consider(inquiry, grid, grid.without(kept, tiles))
        ever[tiles] = tried[tiles] = True
        if passing.any():
            spared = tiles[np.lexsort((tiles, -promise[tiles], ~passing))][: passing.sum()]
            kept = yield from _delete_together(inquiry, grid, kept, spared)
            if minimal:
                tried = grid.nothing()
    return kept, promise


def _delete_together(inquiry: Inquiry, grid: Grid, kept: Kept, tiles: NDArray[np.intp]) -> Search[Kept]:
    """`kept` without all of the tiles, or the better half, or the first, which is known to pass."""
    counts = sorted({len(tiles), max(2, len(tiles) // 2)}, reverse=True) if len(tiles) > 1 else []
    sets = np.repeat(kept[None], len(counts) + 1, axis=0)
    for row, count in enumerate([*counts, 1]):
        sets[row, tiles[:count]] = False
    row = len(counts)
    if counts:
        passing, _ = yield from consider(inquiry, grid, sets[:-1])
        row = int(np.argmax(passing)) if passing.any() else row
    smaller: Kept = sets[row]
    remember(inquiry, grid, smaller)
    return smaller
