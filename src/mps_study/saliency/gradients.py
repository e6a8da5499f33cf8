"""Grad-CAM and Integrated Gradients, as captum computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mps_study.mps.common.fields import taken, whole
from mps_study.saliency.libraries import attributions, tensor
from mps_study.saliency.method import Case, GradientMethod, Map

if TYPE_CHECKING:
    from mps_study.saliency.white_box import WhiteBox


def _layer(name: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError(f"search.{name} is {value!r}; use the name of a layer, as timm's `named_modules` has it")


@dataclass(frozen=True)
class GradCam(GradientMethod):
    """Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization.

    The channels of the last feature map, weighted by the mean gradient of the class's logit, summed, and enlarged
    bilinearly. Negative values are kept, where the paper sets them to 0: the order of the others is the same, and
    those are then no tie.

    Args:
        layer: whose output is taken, by its name in the torch model; None for the last feature map before the
            pooling (`last_feature_map`).
    """

    layer: str | None = taken(None, _layer)
    needs_captum: ClassVar[bool] = True

    def map(self, case: Case, model: WhiteBox) -> Map:
        """The enlarged map.

        Raises:
            ValueError: the model has no feature map, or no such layer.
        """
        from captum.attr import LayerAttribution, LayerGradCam

        from mps_study.saliency.layers import chosen_layer

        layer = chosen_layer(model, self.layer, case)
        inputs = model.tensor(case.pixels)
        coarse = LayerGradCam(model.logits, layer).attribute(inputs, target=case.target)
        return attributions(LayerAttribution.interpolate(coarse, case.shape, "bilinear"))


@dataclass(frozen=True)
class IntegratedGradients(GradientMethod):
    """Sundararajan, Taly, Yan 2017, Axiomatic Attribution for Deep Networks.

    The mean gradient of the class's confidence along the straight line from the baseline to the image, times their
    difference, summed over the channels. The authors find 20 to 300 steps enough.

    Args:
        steps: points of the line, by Gauss-Legendre quadrature.
    """

    steps: int = whole(50, least=1)
    needs_captum: ClassVar[bool] = True

    def map(self, case: Case, model: WhiteBox) -> Map:
        """What each pixel adds to the confidence; all together the difference between image and baseline, about."""
        from captum.attr import IntegratedGradients as Captum

        from mps_study.saliency.white_box import ROWS

        found = Captum(model.confidences(case.target)).attribute(
            model.tensor(case.pixels),
            baselines=tensor(case.baseline).to(model.device),
            n_steps=self.steps,
            internal_batch_size=ROWS,
        )
        return attributions(found)
