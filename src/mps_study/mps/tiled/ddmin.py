"""Delta debugging: a set is cut into chunks, of which all but one, or one, are dropped as long as the class stays.

Zeller, Hildebrandt 2002, Simplifying and Isolating Failure-Inducing Input (IEEE Transactions on Software Engineering
28(2)): what there is a failing test is here the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import one_of
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import remember
from mps_study.mps.minimal.tiles import Grid, Kept, grid
from mps_study.mps.tiled.on_tiles import OnTiles, Sets, as_mps, first_passing, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Search

Tiles = NDArray[np.intp]
"""Indices of some tiles, in the order in which they are cut into chunks."""


@dataclass(frozen=True)
class Ddmin(OnTiles):
    """Delta debugging's 1-minimal set of tiles, with its certificate.

    Args:
        granularity: side of the tiles in pixels.
        order: in which tiles are cut into chunks: `blocks` (along a Z-order curve, so that chunks are compact) or
            `rows` (as text is read, so that they are strips).
    """

    order: str = one_of("blocks", ("blocks", "rows"))

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set; the empty one if the baseline alone passes."""
        tiles = grid(inquiry.shape, self.granularity)
        if (yield from nothing_passes(inquiry, tiles)):
            return Found((yield from as_mps(inquiry, tiles, tiles.nothing(), certified=True)))
        line = np.arange(tiles.tiles) if self.order == "rows" else along_z(tiles)
        kept = yield from delta_debugged(inquiry, tiles, line[to_begin_with(inquiry, tiles)[line]])
        return Found((yield from as_mps(inquiry, tiles, kept, certified=True)))


def delta_debugged(inquiry: Inquiry, tiles: Grid, line: Tiles) -> Search[Kept]:
    """(t,) bool the tiles of a line that are left of it: a set that passes and can spare none of its tiles.

    `line` passes, and nothing does not. One chunk alone is tried before all but one. After one was dropped the next
    one is tried, not the first again, and the chunks stay as they are; where nothing can be dropped all are halved.
    The last round has chunks of one tile, and drops none.
    """
    chunks, begin = _halved([line]), 0
    kept = _union(tiles, chunks)
    while True:
        n = len(chunks)
        one = yield from first_passing(inquiry, tiles, n, partial(_each_alone, tiles, chunks))
        if one is not None and n > 1:
            chunks, begin = _halved([chunks[one]]), 0
            kept = _union(tiles, chunks)
            continue
        if n > 2:  # of two chunks all but one are one
            tried = [*range(begin, n), *range(begin)]
            spared = yield from first_passing(inquiry, tiles, n, partial(_without, kept, [chunks[i] for i in tried]))
            if spared is not None:
                chunks.pop(tried[spared])
                begin = tried[spared] % (n - 1)
                kept = _union(tiles, chunks)
                remember(inquiry, tiles, kept)
                continue
        if all(len(chunk) == 1 for chunk in chunks):
            return kept
        chunks, begin = _halved(chunks), 0


def along_z(tiles: Grid) -> Tiles:
    """(t,) all tiles along a Z-order (Morton) curve: any part of it of a length 4**k that starts at one is a square."""
    row, column = np.divmod(np.arange(tiles.tiles), tiles.columns)
    key = np.zeros(tiles.tiles, dtype=np.int64)
    for bit in range(max(tiles.rows, tiles.columns).bit_length()):
        key |= ((column >> bit & 1) | (row >> bit & 1) << 1) << 2 * bit
    return np.argsort(key, kind="stable")


def _halved(chunks: list[Tiles]) -> list[Tiles]:
    return [half for chunk in chunks for half in np.array_split(chunk, 2) if half.size]


def _union(tiles: Grid, chunks: list[Tiles]) -> Kept:
    kept = tiles.nothing()
    kept[np.concatenate(chunks)] = True
    return kept


def _each_alone(tiles: Grid, chunks: list[Tiles], some: slice) -> Sets:
    """(m, t) bool, each one of some chunks."""
    return np.array([_union(tiles, [chunk]) for chunk in chunks[some]])


def _without(kept: Kept, chunks: list[Tiles], some: slice) -> Sets:
    """(m, t) bool, each the set less one of some chunks."""
    sets = np.repeat(kept[None], len(chunks[some]), axis=0)
    for row, chunk in zip(sets, chunks[some], strict=True):
        row[chunk] = False
    return sets
