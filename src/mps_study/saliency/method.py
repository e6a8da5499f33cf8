"""What a method is: a ranking whose map is made before the search, from one image and the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.rex.given import Mapped

if TYPE_CHECKING:
    from mps_study.saliency.black_box import BlackBox
    from mps_study.saliency.white_box import WhiteBox

Map = NDArray[np.float32]
"""(h, w), the larger a value, the more its pixel matters."""


class NoMapError(ValueError):
    """An image of which a method cannot make a map; the others have theirs."""


@dataclass(frozen=True)
class Case:
    """One image and the class that is to be explained.

    Args:
        key: the image's id; with `seed` it is all that chance depends on.
        pixels: (c, h, w) float32, preprocessed.
        baseline: (c, h, w) float32, what a pixel becomes that is taken away.
        target: index of the class.
        seed: of the search.
    """

    key: str
    pixels: NDArray[np.float32]
    baseline: NDArray[np.float32]
    target: int
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w)."""
        return self.pixels.shape[1], self.pixels.shape[2]


@dataclass(frozen=True)
class Method(Mapped):
    """A ranking by a saliency map. A new one is derived from `AskingMethod` or `GradientMethod`."""

    version: ClassVar[int] = 1
    """Raised when a change of the method changes its maps; part of what identifies them."""
    by_chance: ClassVar[bool] = False
    """Whether the seed changes the map."""
    by_gradient: ClassVar[bool] = False
    """Whether it needs the torch model, and not only its answers."""
    needs_captum: ClassVar[bool] = False
    """Whether captum computes it."""


@dataclass(frozen=True)
class AskingMethod(Method):
    """A black-box method: any forward function serves, an ONNX file's too."""

    def map(self, case: Case, model: BlackBox) -> Map:
        """The map of one image, (h, w) float32; the questions that it took are counted by the model."""
        raise NotImplementedError


@dataclass(frozen=True)
class GradientMethod(Method):
    """A white-box method: it needs the torch model."""

    by_gradient: ClassVar[bool] = True

    def map(self, case: Case, model: WhiteBox) -> Map:
        """The map of one image, (h, w) float32; the gradients that it took are counted by the model."""
        raise NotImplementedError
