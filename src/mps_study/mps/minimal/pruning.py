"""Makes a sufficient set smaller by deleting tiles, until it can spare none of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import Promise, consider, remember
from mps_study.mps.minimal.tiles import Grid, Kept
from mps_study.mps.types import Search

AT_ONCE = 8
"""Single-tile deletions in one question. More would score tiles against a set that is about to change."""

_HALVINGS = 8
_LEAST_IN_BULK = 8


def prune(inquiry: Inquiry, grid: Grid, kept: Kept, promise: Promise) -> Search[tuple[Kept, Promise]]:
    """What is left (t,) bool of a passing set that can spare no tile; it passes too. With it, the new promise.

    First the tiles that promise most are deleted in bulk. Then deletions are tried a few at a time: those that were
    tried least often, of these the ones that promise most, ties by position. Of the deletions that pass, as many as
    pass together are made.

    Passing is not monotone, so a tile that was needed may be spared once others are gone. Every tile left is therefore
    tried again after each deletion, and the result is 1-minimal: the last deletions that were tried are those of all
    its tiles, from the result itself, and all failed.
    """
    promise, tries = promise.copy(), np.zeros(grid.tiles, dtype=np.int64)
    kept = yield from _delete_in_bulk(inquiry, grid, kept, promise)
    tried = grid.nothing()
    while (left := np.flatnonzero(kept & ~tried)).size:
        tiles = left[np.lexsort((left, -promise[left], tries[left]))][:AT_ONCE]
        passing, promise[tiles] = yield from consider(inquiry, grid, grid.without(kept, tiles))
        tries[tiles] += 1
        tried[tiles] = True
        if passing.any():
            spared = tiles[np.lexsort((tiles, -promise[tiles], ~passing))][: passing.sum()]
            kept = yield from _delete_together(inquiry, grid, kept, spared)
            tried = grid.nothing()
    return kept, promise


def _delete_in_bulk(inquiry: Inquiry, grid: Grid, kept: Kept, promise: Promise) -> Search[Kept]:
    """`kept` without the half, quarter, eighth ... of its tiles that promise most, as often as one of them passes."""
    while (left := np.flatnonzero(kept)).size >= _LEAST_IN_BULK:
        order = left[np.lexsort((left, -promise[left]))]
        counts = _halvings(len(order) // 2)[:_HALVINGS]
        sets = _without_first(kept, order, counts)
        passing, _ = yield from consider(inquiry, grid, sets)
        if not passing.any():
            break
        kept = sets[np.argmax(passing)]
        remember(inquiry, grid, kept)
    return kept


def _delete_together(inquiry: Inquiry, grid: Grid, kept: Kept, tiles: NDArray[np.intp]) -> Search[Kept]:
    """`kept` without all of the tiles, or the better half, quarter ..., or the first, which is known to pass."""
    counts = _halvings(len(tiles))
    sets = _without_first(kept, tiles, [*counts, 1])
    row = len(counts)
    if counts:
        passing, _ = yield from consider(inquiry, grid, sets[:-1])
        row = int(np.argmax(passing)) if passing.any() else row
    smaller: Kept = sets[row]
    remember(inquiry, grid, smaller)
    return smaller


def _halvings(count: int) -> list[int]:
    """The count, half of it, and so on, down to 2."""
    counts = []
    while count >= 2:
        counts.append(count)
        count //= 2
    return counts


def _without_first(kept: Kept, tiles: NDArray[np.intp], counts: list[int]) -> NDArray[np.bool_]:
    """(n, t) bool: row i is `kept` less the first `counts[i]` of the tiles."""
    sets = np.repeat(kept[None], len(counts), axis=0)
    for row, count in enumerate(counts):
        sets[row, tiles[:count]] = False
    return sets
