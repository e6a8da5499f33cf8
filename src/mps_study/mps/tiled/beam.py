"""Beam search for sets of patches that are sufficient, each then without the patches that it can spare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Grid, Kept
from mps_study.mps.tiled.on_tiles import Judge, Sets, first_passing
from mps_study.mps.types import Search


def roots_of(
    inquiry: Inquiry, tiles: Grid, order: NDArray[np.intp], judge: Judge, beam: int, successors: int, most: int
) -> Search[list[Kept]]:
    """Up to `most` different sets of patches (t,) bool that pass and can spare none of theirs, as they were found.

    Sets grow from nothing. A step adds to each set of the beam one patch at a time: the first `successors` of `order`
    that it does not have. Whatever passes becomes a root; of what fails the `beam` with most evidence go on, ties by
    the order in which they were proposed.
    """
    going: list[Kept] = [tiles.nothing()]
    roots: list[Kept] = []
    while going and len(roots) < most:
        sets = _successors(going, order, successors)
        if not len(sets):
            break
        passing, found = yield from judge(inquiry, tiles, sets)
        best = np.lexsort((np.arange(len(sets)), -found))
        for row in best[passing[best]].tolist():
            root = yield from without_spare_ones(inquiry, tiles, sets[row], judge)
            if not any(np.array_equal(root, other) for other in roots):
                roots.append(root)
            if len(roots) == most:
                break
        going = [sets[row] for row in best[~passing[best]][:beam].tolist()]
    return roots


def without_spare_ones(inquiry: Inquiry, tiles: Grid, kept: Kept, judge: Judge) -> Search[Kept]:
    """What is left of a set that passes after dropping each patch without which it still does, again and again.

    Patches are tried by position; the last round tries all that are left, and drops none.
    """
    kept, begin = kept.copy(), 0
    while (left := np.flatnonzero(kept)).size:
        tried = left[(np.arange(left.size) + begin) % left.size]
        spared = yield from first_passing(inquiry, tiles, tried.size, tiles.without(kept, tried).__getitem__, judge)
        if spared is None:
            break
        kept[tried[spared]] = False
        begin = int(np.searchsorted(left, tried[spared]))
    return kept


def apart(roots: list[Kept], shared: int) -> list[Kept]:
    """Those of the roots, in their order, that share at most so many patches with each one before."""
    chosen: list[Kept] = []
    for root in roots:
        if all(int((root & other).sum()) <= shared for other in chosen):
            chosen.append(root)
    return chosen


def _successors(going: list[Kept], order: NDArray[np.intp], most: int) -> Sets:
    """(n, t) bool, each different: every set with one more patch."""
    sets: dict[bytes, Kept] = {}
    for kept in going:
        for patch in order[~kept[order]][:most].tolist():
            grown = kept.copy()
            grown[patch] = True
            sets.setdefault(grown.tobytes(), grown)
    return np.array(list(sets.values()), dtype=bool).reshape(len(sets), -1)
