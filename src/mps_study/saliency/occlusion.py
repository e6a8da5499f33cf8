"""Occlusion: how much less sure the model is when a square of the image is covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mps_study.mps.common.fields import whole
from mps_study.saliency.black_box import AT_ONCE, BlackBox
from mps_study.saliency.libraries import attributions, tensor
from mps_study.saliency.method import AskingMethod, Case, Map


@dataclass(frozen=True)
class Occlusion(AskingMethod):
    """Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks; computed by captum.

    A pixel's value is the mean loss of confidence over the squares that cover it. The paper names neither size nor
    step; these are those of captum's tutorial.

    Args:
        window: side of the square in pixels.
        stride: pixels from one square to the next.
    """

    window: int = whole(15, least=1)
    stride: int = whole(8, least=1)
    needs_captum: ClassVar[bool] = True

    def map(self, case: Case, model: BlackBox) -> Map:
        """The mean loss of each pixel.

        Raises:
            ValueError: the square is larger than the image, or its steps leave pixels out.
        """
        if self.stride > self.window:
            raise ValueError(
                f"search.stride is {self.stride}, more than window, {self.window}; pixels would be left out"
            )
        if self.window > min(case.shape):
            raise ValueError(
                f"search.window is {self.window}, but the model's input is {case.shape[0]} x {case.shape[1]} pixels; "
                "use a smaller one"
            )
        from captum.attr import Occlusion as Captum

        channels = len(case.pixels)
        found = Captum(model.for_captum(case.target)).attribute(
            tensor(case.pixels),
            sliding_window_shapes=(channels, self.window, self.window),
            strides=(channels, self.stride, self.stride),
            baselines=tensor(case.baseline),
            perturbations_per_eval=AT_ONCE,
        )
        return attributions(found, of=channels)
