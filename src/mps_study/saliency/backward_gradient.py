"""Backward selection by gradients: pixels are taken away, those first whose loss would cost least confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mps_study.mps.common.chance import generator
from mps_study.mps.common.fields import whole
from mps_study.saliency.method import Case, GradientMethod, Map

if TYPE_CHECKING:
    from mps_study.saliency.white_box import WhiteBox

NOISE = 1e-6
"""Standard deviation of what is added to the gradients, as in the authors' code: it decides between equal ones."""


@dataclass(frozen=True)
class BackwardGradient(GradientMethod):
    """Carter, Jain, Mueller, Gifford 2021, Overinterpretation reveals image classification model pathologies.

    Its batched gradient backward selection: the gradient of the class's confidence by a mask over the pixels says what
    each pixel that is left is worth; the least worth are taken away, and the gradient is taken again, until nothing is
    left. The later a pixel goes, the sooner it is kept; among those that go together the gradient decides. captum has
    no such method.

    Args:
        pixels_a_step: pixels that go together; one gradient for each step.
    """

    pixels_a_step: int = whole(100, least=1)
    by_chance: ClassVar[bool] = True

    def map(self, case: Case, model: WhiteBox) -> Map:
        """Place of each pixel in the order in which they went, 0 for the first."""
        import torch

        pixels, baseline = model.tensor(case.pixels), model.tensor(case.baseline)
        confidence = model.confidences(case.target)
        random = generator("backward_gradient", case.seed, case.key)
        size = case.shape[0] * case.shape[1]
        left, order = np.ones(size, dtype=bool), np.zeros(size, dtype=np.float32)
        gone = 0
        while gone < size:
            mask = torch.from_numpy(left.reshape(case.shape).astype(np.float32)).to(model.device).requires_grad_()
            (gradient,) = torch.autograd.grad(confidence(baseline + (pixels - baseline) * mask).sum(), mask)
            worth = gradient.cpu().numpy().ravel().astype(np.float64) + NOISE * random.standard_normal(size)
            candidates = np.flatnonzero(left)
            going = candidates[np.argsort(worth[candidates], kind="stable")[: self.pixels_a_step]]
            order[going] = np.arange(gone, gone + len(going))
            left[going] = False
            gone += len(going)
        return order.reshape(case.shape)
