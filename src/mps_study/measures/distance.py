"""How far two sets on one grid lie apart: the exact Hausdorff distance, without a distance transform of either.

A transform measures every cell of the grid, and the distance is decided by a few. So blocks of cells are measured
first; what lies within a block's reach of the furthest one is then measured cell by cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

Mask = NDArray[np.bool_]
Cell = tuple[float, float]
"""Height and width of a grid's cell, in the unit of the distances."""

SQUARE: Cell = (1.0, 1.0)
BLOCK = np.dtype(np.uint32).itemsize
"""Cells a side of a block: 4."""
NOWHERE = 10_000
"""Cells to the nearest kept one of a column that has none: further than any grid reaches."""
TOGETHER = 8
"""Blocks whose cells are measured at once."""


@dataclass(frozen=True)
class Placed:
    """A set on a grid, with what every comparison needs of it.

    Args:
        mask: (h, w) bool.
        cells: number of cells kept.
        centre: (2,) their mean row and column; NaN without any.
        tiles: (blocks, 16) bool, the cells of each block, row after row; blocks likewise, filled up with False.
        blocks: (n,) those with a cell kept, ascending.
        gaps: (h, w) int16, cells to the nearest kept one of the same column.
    """

    mask: Mask
    cells: int
    centre: NDArray[np.float64]
    tiles: Mask
    blocks: NDArray[np.intp]
    gaps: NDArray[np.int16]
    _far: dict[Cell, NDArray[np.float64]] = field(default_factory=dict)

    def far(self, cell: Cell) -> NDArray[np.float64]:
        """(blocks,) distance of each block's corner to that of the nearest one with a cell kept."""
        if cell not in self._far:
            height, width = _blocks_of(self.mask)
            kept = np.zeros(height * width, dtype=bool)
            kept[self.blocks] = True
            size = (BLOCK * cell[0], BLOCK * cell[1])
            far = distance_transform_edt(~kept.reshape(height, width), sampling=size)
            self._far[cell] = np.asarray(far, dtype=np.float64).ravel()
        return self._far[cell]


def place(mask: Mask) -> Placed:
    """The set of a mask (h, w), ready to be compared with many others on the same grid."""
    counts = mask.sum(axis=1, dtype=np.intp), mask.sum(axis=0, dtype=np.intp)
    cells = int(counts[0].sum())
    centre = np.array([float(along @ np.arange(len(along))) / cells if cells else np.nan for along in counts])
    return Placed(mask, cells, centre, *_tiles(mask), _gaps(mask))


def hausdorff(a: Placed, b: Placed, cell: Cell = SQUARE) -> float:
    """Symmetric Hausdorff distance between the centres of cells, in the unit of `cell`.

    0 when both sets are empty, infinite when only one is. The same number as with the exact Euclidean distance
    transform of each set.
    """
    if not a.cells or not b.cells:
        return 0.0 if a.cells == b.cells else float("inf")
    reach = (BLOCK - 1) * float(np.hypot(*cell)) * (1 + 1e-9)  # two cells lie so much further apart than their blocks
    directions = [(one, other, other.far(cell)[one.blocks]) for one, other in ((a, b), (b, a))]
    directions.sort(key=lambda direction: -direction[2].max())
    least = float(directions[0][2].max()) - reach
    found = 0.0
    for one, other, far in directions:
        chosen = np.flatnonzero(far >= least - reach)
        chosen = chosen[np.argsort(-far[chosen], kind="stable")]
        for start in range(0, len(chosen), TOGETHER):
            if far[chosen[start]] + reach < least:
                break
            part = one.blocks[chosen[start : start + TOGETHER]]
            found = max(found, _furthest_cell(one, other, part, cell, least))
            least = max(least, found)
    return found


def _furthest_cell(one: Placed, other: Placed, blocks: NDArray[np.intp], cell: Cell, least: float) -> float:
    """The largest distance to `other` of a cell of `one` in these blocks; 0 if none reaches `least`."""
    rows, columns = _kept_in(one, blocks)
    bound = other.gaps[rows, columns] * cell[0]
    open_ = (bound >= least) & (bound > 0)
    if not open_.any():
        return 0.0
    down = other.gaps[rows[open_]] * cell[0]  # (n, w), to the nearest kept cell of each column
    squares = down * down
    squares += _across(other.mask.shape[1], cell[1])[columns[open_]]
    return float(np.sqrt(squares.min(axis=1).max()))


@lru_cache(maxsize=16)
def _across(width: int, cell: float) -> NDArray[np.float64]:
    """(w, w) squared distance of each two columns."""
    columns = np.arange(width)
    distances = np.asarray((columns - columns[:, None]) * cell, dtype=np.float64)
    return distances * distances


def _gaps(mask: Mask) -> NDArray[np.int16]:
    """(h, w) cells to the nearest kept one of the same column, in steps that double."""
    gaps = np.where(mask, np.int16(0), np.int16(NOWHERE))
    step = 1
    while step < len(mask):
        beyond = gaps + np.int16(step)
        np.minimum(gaps[step:], beyond[:-step], out=gaps[step:])
        np.minimum(gaps[:-step], beyond[step:], out=gaps[:-step])
        step *= 2
    return gaps


def centroid_distance(a: Placed, b: Placed, cell: Cell = SQUARE) -> float:
    """Distance between the sets' mean cells, in the unit of `cell`; 0 if both are empty, infinite if only one is."""
    if not a.cells or not b.cells:
        return 0.0 if a.cells == b.cells else float("inf")
    return float(np.linalg.norm((a.centre - b.centre) * cell))


def _kept_in(one: Placed, blocks: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells kept in these blocks."""
    block, cell = np.nonzero(one.tiles[blocks])
    row, column = np.divmod(blocks[block], _blocks_of(one.mask)[1])
    return row * BLOCK + cell // BLOCK, column * BLOCK + cell % BLOCK


def _tiles(mask: Mask) -> tuple[Mask, NDArray[np.intp]]:
    """The cells of each block, and which blocks have one kept; a row of a block moves as one number of four bytes."""
    height, width = _blocks_of(mask)
    beyond = [(0, blocks * BLOCK - side) for blocks, side in zip((height, width), mask.shape, strict=True)]
    whole = np.ascontiguousarray(np.pad(mask, beyond) if any(extra for _, extra in beyond) else mask)
    rows = whole.view(np.uint32).reshape(height, BLOCK, width)
    tiles = rows.transpose(0, 2, 1).reshape(height * width, BLOCK).view(np.bool_)
    return tiles, np.flatnonzero(np.bitwise_or.reduce(rows, axis=1))


def _blocks_of(mask: Mask) -> tuple[int, int]:
    """How many blocks the mask is high and wide."""
    height, width = mask.shape
    return -(-height // BLOCK), -(-width // BLOCK)
