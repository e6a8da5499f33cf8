"""Square tiles, the unit in which a minimal set is made smaller, and the mutants that keep some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants, Shape, pixel_digests

V = TypeVar("V", bound=np.generic)

Kept = NDArray[np.bool_]
"""(t,) bool, the tiles of a grid that stay."""

COARSEST, FINEST_GROWN = 7, 28
"""Tiles along the longer side of the coarsest grid, and of the finest one in which sets are grown."""


FIRST_STEPS, LATER_STEPS = 12, 4
"""Steps in which a set is grown tile by tile, in the coarsest grid and in the finer ones."""


class Grid:
    """An image cut into t square tiles of `size` pixels, row by row; the last row and column may be narrower.

    Grids whose sizes divide each other nest: every fine tile lies in one coarse tile.
    """

    def __init__(self, shape: Shape, size: int) -> None:
        self.shape, self.size = shape, size
        self.rows, self.columns = -(-shape[0] // size), -(-shape[1] // size)
        self.tiles = self.rows * self.columns
        pixels = np.zeros((self.rows * size, self.columns * size), dtype=np.uint64)
        pixels[: shape[0], : shape[1]] = pixel_digests(shape)
        blocks = pixels.reshape(self.rows, size, self.columns, size)
        self.digests: NDArray[np.uint64] = blocks.sum(axis=(1, 3), dtype=np.uint64).ravel()

    def whole(self) -> Kept:
        """All tiles."""
        return np.ones(self.tiles, dtype=bool)

    def nothing(self) -> Kept:
        """No tile."""
        return np.zeros(self.tiles, dtype=bool)

    def mask(self, kept: Kept) -> NDArray[np.bool_]:
        """(h, w) bool, True = kept."""
        rows = kept.reshape(self.rows, self.columns)
        mask: NDArray[np.bool_] = rows.repeat(self.size, axis=0).repeat(self.size, axis=1)
        return mask[: self.shape[0], : self.shape[1]]

    def refine(self, values: NDArray[V], coarser: Grid) -> NDArray[V]:
        """(t,) for each tile the value of the coarser grid's tile in which it lies."""
        times = coarser.size // self.size
        rows = values.reshape(coarser.rows, coarser.columns).repeat(times, axis=0).repeat(times, axis=1)
        return rows[: self.rows, : self.columns].ravel()

    def touched(self, mask: NDArray[np.bool_]) -> Kept:
        """The tiles of which a mask (h, w) bool keeps at least one pixel."""
        padded = np.zeros((self.rows * self.size, self.columns * self.size), dtype=bool)
        padded[: self.shape[0], : self.shape[1]] = mask
        blocks = padded.reshape(self.rows, self.size, self.columns, self.size)
        tiles: Kept = blocks.any(axis=(1, 3)).ravel()
        return tiles

    def without(self, kept: Kept, tiles: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(n, t) bool: row i is `kept` less tile `tiles[i]`."""
        rows = np.repeat(kept[None], len(tiles), axis=0)
        rows[np.arange(len(tiles)), tiles] = False
        return rows

    def added(self, kept: Kept, tiles: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(n, t) bool: row i is `kept` and tile `tiles[i]`."""
        rows = np.repeat(kept[None], len(tiles), axis=0)
        rows[np.arange(len(tiles)), tiles] = True
        return rows


@lru_cache(maxsize=64)
def grid(shape: Shape, size: int) -> Grid:
    """The grid of an input size, made once."""
    return Grid(shape, size)


@dataclass(frozen=True)
class Cells(Mutants):
    """Each mutant keeps some tiles of a grid: `kept` (n, t) bool."""

    grid: Grid = None  # type: ignore[assignment]
    kept: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.kept)

    def mask(self, row: int) -> NDArray[np.bool_]:
        """(h, w) bool, True = kept."""
        return self.grid.mask(self.kept[row])

    def masks_of(self, start: int, stop: int) -> NDArray[np.bool_]:
        """See `Mutants.masks_of`."""
        grid = self.grid
        tiles = self.kept[start:stop].reshape(stop - start, grid.rows, grid.columns)
        masks: NDArray[np.bool_] = tiles.repeat(grid.size, axis=1).repeat(grid.size, axis=2)
        return masks[:, : self.shape[0], : self.shape[1]]

    def digests(self) -> NDArray[np.uint64]:
        """(n,) see `Mutants.digests`."""
        digests: NDArray[np.uint64] = np.where(self.kept, self.grid.digests, np.uint64(0)).sum(axis=1, dtype=np.uint64)
        return digests

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        """The mutants of some rows."""
        return replace(self, kept=self.kept[rows], alone=alone)


class Size(NamedTuple):
    """A tile size in pixels, and in how many steps a set is grown at that size; 0 where it is only pruned."""

    pixels: int
    growing_steps: int


def sizes_of_tiles(shape: Shape, granularity: int) -> list[Size]:
    """From coarse to fine, each half the last, down to the granularity.

    Sets are grown of tiles of 1/7 to 1/28 of the longer side; smaller ones are too many and say too little alone.
    """
    side = max(shape)
    pixels = [granularity]
    while pixels[-1] * 2 * COARSEST <= side:
        pixels.append(pixels[-1] * 2)
    coarsest = pixels[-1]
    sizes = []
    for size in reversed(pixels):
        steps = FIRST_STEPS if size == coarsest else LATER_STEPS
        sizes.append(Size(size, steps if size > granularity and size * FINEST_GROWN >= side else 0))
    return sizes
