"""One frame for masks of different models: the part of the source image that both saw, on a common grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID = 224
View = tuple[float, float, float, float]
"""Top, left, bottom, right in source pixels."""


def common_field(a: View, b: View) -> View | None:
    """The part of the source image in both views; None if they do not meet."""
    top, left = max(a[0], b[0]), max(a[1], b[1])
    bottom, right = min(a[2], b[2]), min(a[3], b[3])
    return (top, left, bottom, right) if top < bottom and left < right else None


def on_grid(mask: NDArray[np.bool_], view: View, field: View, grid: int = GRID) -> NDArray[np.bool_]:
    """(grid, grid) bool: the mask's value at the centre of each of the grid's cells over `field`.

    A set so small that it falls between the centres keeps the cells that hold its pixels' centres, so that a set
    inside the field is never lost.

    Args:
        mask: (h, w) bool in the model's input, which shows `view` of the source image.
        view: of the model.
        field: the part of the source image that the grid covers; inside `view`.
    """
    rows = _nearest(mask.shape[0], view[0], view[2], field[0], field[2], grid)
    columns = _nearest(mask.shape[1], view[1], view[3], field[1], field[3], grid)
    seen = mask.take(rows, axis=0).take(columns, axis=1)
    if not seen.any() and mask.any():
        seen[tuple(_cells_of_kept(mask, view, field, grid).T)] = True
    return seen


def cell_of(field: View, grid: int = GRID) -> tuple[float, float]:
    """Height and width in source pixels of a cell of the grid over `field`."""
    return (field[2] - field[0]) / grid, (field[3] - field[1]) / grid


def _cells_of_kept(mask: NDArray[np.bool_], view: View, field: View, grid: int) -> NDArray[np.intp]:
    """(n, 2) grid cells that hold the centre of a kept pixel."""
    start, stop = np.array(view[:2]), np.array(view[2:])
    low, high = np.array(field[:2]), np.array(field[2:])
    centres = start + (np.argwhere(mask) + 0.5) / mask.shape * (stop - start)
    inside = ((centres >= low) & (centres < high)).all(axis=1)
    cells: NDArray[np.intp] = np.floor((centres[inside] - low) / (high - low) * grid).astype(np.intp)
    return cells


def _nearest(size: int, start: float, stop: float, low: float, high: float, grid: int) -> NDArray[np.intp]:
    """For each cell of a grid over [low, high]: which of `size` pixels over [start, stop] holds its centre."""
    centres = low + (np.arange(grid) + 0.5) * (high - low) / grid
    pixels = np.floor((centres - start) / (stop - start) * size).astype(np.intp)
    return pixels.clip(0, size - 1)
