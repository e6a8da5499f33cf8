"""A set that was found, with the image that it is a set of, as a model sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Picture

Pixels = NDArray[np.float32]  # (c, h, w), preprocessed
Mask = NDArray[np.bool_]  # (h, w), True = kept


@dataclass(frozen=True)
class Colours:
    """What black and white are in a model's input, (c, 1, 1) float32 each; and whether blue comes first."""

    black: Pixels
    white: Pixels
    blue_first: bool = False


@dataclass(frozen=True)
class KnownSet:
    """A set and what is needed to show it otherwise.

    Args:
        key: the image's id.
        picture: the image with the baseline of the search that found the set.
        mask: (h, w) bool, True = kept.
        label: index of the class that the set keeps.
        tile: side of its tiles in pixels; they start at the top left corner of the input.
        colours: of the model's input.
        seed: of all chance.
        another: (c, h, w), another image of the sample; None where there is none.
    """

    key: str
    picture: Picture
    mask: Mask
    label: int
    tile: int
    colours: Colours
    seed: int = 0
    another: Pixels | None = None


def tiles_of(mask: Mask, tile: int) -> list[Mask]:
    """The parts (h, w) of a set by the tiles of a grid, row by row; those without a kept pixel are left out."""
    height, width = mask.shape
    parts = []
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            part = np.zeros_like(mask)
            part[top : top + tile, left : left + tile] = mask[top : top + tile, left : left + tile]
            if part.any():
                parts.append(part)
    return parts
