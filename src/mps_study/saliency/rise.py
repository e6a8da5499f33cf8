"""RISE: the mean of random soft masks, each weighted by how sure the model is of the image behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.chance import generator
from mps_study.mps.common.fields import number, whole
from mps_study.saliency.black_box import AT_ONCE, BlackBox
from mps_study.saliency.method import AskingMethod, Case, Map


@dataclass(frozen=True)
class Rise(AskingMethod):
    """Petsiuk, Das, Saenko 2018, RISE: Randomized Input Sampling for Explanation of Black-box Models.

    The paper takes 4,000 masks for VGG16 and 8,000 for ResNet50; its code takes 6,000. Images are laid over the
    search's baseline, which is the paper's for 0.

    Args:
        masks: random masks.
        cells: cells of a mask's coarse grid along each side.
        kept_share: probability with which a cell is kept.
    """

    masks: int = whole(4000, least=1)
    cells: int = whole(7, least=1)
    kept_share: float = number(0.5, 0.01, 0.99)
    by_chance: ClassVar[bool] = True

    def map(self, case: Case, model: BlackBox) -> Map:
        """The masks' mean, weighted by confidence, and divided by what is kept on average."""
        random = generator("rise", case.seed, case.key)
        total = np.zeros(case.shape, dtype=np.float64)
        for start in range(0, self.masks, AT_ONCE):
            masks = self.drawn(random, min(AT_ONCE, self.masks - start), case.shape)
            behind = masks[:, None] * (case.pixels - case.baseline) + case.baseline
            for confidence, mask in zip(model.ask(behind, case.target), masks, strict=True):
                total += confidence * mask  # one by one: how many are asked at once must not change a digit
        return (total / (self.masks * self.kept_share)).astype(np.float32)

    def drawn(self, random: np.random.Generator, n: int, shape: tuple[int, int]) -> NDArray[np.float32]:
        """(n, h, w) in [0, 1]: grids of 0 and 1, enlarged bilinearly to a cell more than the image, randomly cropped.

        Drawn one after the other, so that n does not change them.
        """
        found = np.empty((n, *shape), dtype=np.float32)
        sides = [-(-side // self.cells) for side in shape]
        along, down = (enlarged(self.cells, (self.cells + 1) * side) for side in sides)
        for mask in found:
            grid = (random.random((self.cells, self.cells)) < self.kept_share).astype(np.float64)
            top, left = (int(random.integers(side)) for side in sides)
            mask[:] = along[top : top + shape[0]] @ grid @ down[left : left + shape[1]].T
        return found


def enlarged(cells: int, size: int) -> NDArray[np.float64]:
    """(size, cells) the weights of bilinear enlargement along one side: pixel centres, the border repeated."""
    places = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    weights: NDArray[np.float64] = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(cells)))
    return weights
