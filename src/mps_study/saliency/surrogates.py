"""LIME and KernelSHAP: a linear model of what superpixels are worth, fitted to answers about random choices of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import number, whole
from mps_study.saliency.black_box import AT_ONCE, BlackBox
from mps_study.saliency.libraries import attributions, chance_of, tensor
from mps_study.saliency.method import AskingMethod, Case, Map, NoMapError

if TYPE_CHECKING:
    import torch

Segments = NDArray[np.int64]
"""(h, w) the superpixel of each pixel, from 0 without gaps."""


@dataclass(frozen=True)
class Lime(AskingMethod):
    """Ribeiro, Singh, Guestrin 2016, "Why Should I Trust You?", with the choices of its authors' package for images.

    Superpixels by quickshift (kernel 4, largest distance 200, ratio 0.2), each kept with probability one half; a
    ridge regression (strength 1) weighted by the cosine distance to the whole image. Computed by captum. What is not
    kept becomes the search's baseline, where the package takes each superpixel's mean colour.

    Args:
        samples: random choices of superpixels.
        kernel_width: of the weights.
    """

    samples: int = whole(1000, least=2)
    kernel_width: float = number(0.25, 0.01, 100.0)
    by_chance: ClassVar[bool] = True
    needs_captum: ClassVar[bool] = True

    def map(self, case: Case, model: BlackBox) -> Map:
        """Each pixel has its superpixel's weight."""
        from captum._utils.models.linear_model import SkLearnRidge
        from captum.attr import Lime as Captum

        explainer = Captum(
            model.for_captum(case.target), interpretable_model=SkLearnRidge(alpha=1), similarity_func=self.similarity
        )
        return _fitted(explainer, case, model, quickshift_segments(case.pixels), self.samples, "lime")

    def similarity(self, _: torch.Tensor, __: torch.Tensor, kept: torch.Tensor, **___: Any) -> torch.Tensor:
        """Weight of a choice, (1, superpixels) of 0 and 1, by its cosine distance to all of them."""
        import torch

        share = kept.double().mean(dim=1)  # the cosine to all ones is the root of this
        distance = 1 - share.sqrt()
        return torch.exp(-(distance**2) / self.kernel_width**2).sqrt()


@dataclass(frozen=True)
class KernelShap(AskingMethod):
    """Lundberg and Lee 2017, A Unified Approach to Interpreting Model Predictions, as its authors show it for images.

    Superpixels by SLIC (compactness 30, sigma 3), and a linear regression to choices of them that are drawn as the
    Shapley kernel weighs them. Computed by captum.

    Args:
        samples: choices of superpixels.
        segments: superpixels, about.
    """

    samples: int = whole(1000, least=4)
    segments: int = whole(50, least=2)
    by_chance: ClassVar[bool] = True
    needs_captum: ClassVar[bool] = True

    def map(self, case: Case, model: BlackBox) -> Map:
        """Each pixel has its superpixel's Shapley value."""
        from captum.attr import KernelShap as Captum

        segments = slic_segments(case.pixels, self.segments)
        return _fitted(Captum(model.for_captum(case.target)), case, model, segments, self.samples, "kernel_shap")


def quickshift_segments(pixels: NDArray[np.float32]) -> Segments:
    """The superpixels of LIME's package, of pixels (c, h, w)."""
    from skimage.segmentation import quickshift

    found = quickshift(colours(pixels), kernel_size=4, max_dist=200, ratio=0.2, rng=0)  # type: ignore[no-untyped-call]
    return _numbered(found)


def slic_segments(pixels: NDArray[np.float32], segments: int) -> Segments:
    """The superpixels of SHAP's example for images, of pixels (c, h, w)."""
    from skimage.segmentation import slic

    return _numbered(slic(colours(pixels), n_segments=segments, compactness=30, sigma=3, start_label=0))


def colours(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """(h, w, 3) in [0, 1]: preprocessed pixels (c, h, w) as a picture, its least value black, its most white."""
    values = pixels.astype(np.float64)
    spread = float(np.ptp(values)) or 1.0
    shown = ((values - values.min()) / spread).transpose(1, 2, 0)
    return np.ascontiguousarray(np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown)


def _numbered(found: NDArray[Any]) -> Segments:
    return np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int64)


def _fitted(explainer: Any, case: Case, model: BlackBox, segments: Segments, samples: int, purpose: str) -> Map:
    """The weights of the superpixels, spread over their pixels."""
    import torch

    if segments.max() == 0:
        raise NoMapError(f"{purpose} finds one superpixel in the whole image, and has nothing to compare")
    mask = torch.from_numpy(np.broadcast_to(segments, (1, *case.pixels.shape)).copy())
    with chance_of(case, purpose):
        found = explainer.attribute(
            tensor(case.pixels),
            baselines=tensor(case.baseline),
            feature_mask=mask,
            n_samples=samples,
            perturbations_per_eval=AT_ONCE,
        )
    return attributions(found, of=len(case.pixels))
