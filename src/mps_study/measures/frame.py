"""One frame for masks of different models: the part of the source image that both saw, on a common grid."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

GRID = 224
T = TypeVar("T", bound=np.generic)
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


def on_image(values: NDArray[T], view: View, width: int, height: int, beyond: object) -> NDArray[T]:
    """(height, width) in the source image's own pixels: each has the value of the input pixel that holds its centre.

    Of an image that was made smaller for the model each input pixel stands for several source pixels, and all of them
    have its value. Of one that was enlarged some input pixels hold no source pixel's centre, and are not seen. What the
    model did not see at all, outside of `view`, is `beyond`.

    Args:
        values: (h, w) of the model's input, a mask or a map.
        view: of the model.
        width, height: of the source image, in pixels.
        beyond: what stands for a pixel that the model did not see.
    """
    found = np.full((height, width), beyond, dtype=values.dtype)
    rows, columns = _seen(values.shape[0], view[0], view[2], height), _seen(values.shape[1], view[1], view[3], width)
    inside = np.ix_(rows >= 0, columns >= 0)
    found[inside] = values[np.ix_(rows[rows >= 0], columns[columns >= 0])]
    return found


def carried(mask: NDArray[np.bool_], view: View, other: View, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The same pixels of the source image, as the mask of another model: (h, w) bool of its input.

    Each of its pixels has the value of the first model's pixel that holds its centre; what the first model did not see
    is not kept. A set that falls between the centres keeps the pixels that hold its own pixels' centres.

    Args:
        mask: (h, w) bool in the first model's input, which shows `view` of the source image.
        view: of the first model.
        other: view of the second model.
        shape: (h, w) of its input.
    """
    down, across = shape[0] / (other[2] - other[0]), shape[1] / (other[3] - other[1])
    there = (
        (view[0] - other[0]) * down,
        (view[1] - other[1]) * across,
        (view[2] - other[0]) * down,
        (view[3] - other[1]) * across,
    )
    found: NDArray[np.bool_] = on_image(mask, there, shape[1], shape[0], beyond=False)
    if not found.any() and mask.any():
        centres = np.array(there[:2]) + (np.argwhere(mask) + 0.5) / mask.shape * np.subtract(there[2:], there[:2])
        places = np.floor(centres).astype(np.intp)
        found[tuple(places[((places >= 0) & (places < shape)).all(axis=1)].T)] = True
    return found


def _seen(size: int, start: float, stop: float, pixels: int) -> NDArray[np.intp]:
    """For each of so many source pixels: which of `size` over [start, stop) holds its centre; -1 for none."""
    places = np.floor((np.arange(pixels) + 0.5 - start) / (stop - start) * size).astype(np.intp)
    return np.where((places >= 0) & (places < size), places, -1)


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
