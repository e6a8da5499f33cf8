"""All rankings by name, and those that need no search. A new one is derived from `Ranker`, and gets its row here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mps_study.mps.common.chance import generator
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.rex.ranking import Landscape, Ranker
from mps_study.mps.rex.responsibility import Responsibility
from mps_study.mps.types import Search


@dataclass(frozen=True)
class Random(Ranker):
    """Pixels in random order, from the seed and the image's key: what any other ranking must beat."""

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32 in [0, 1)."""
        yield from ()
        random = generator("random ranking", inquiry.terms.seed, inquiry.key)
        return random.random(inquiry.shape, dtype=np.float32)


@dataclass(frozen=True)
class Centre(Ranker):
    """The nearer to the centre, in shares of height and width, the sooner."""

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32, 0 in the centre."""
        yield from ()
        down, along = (np.abs((np.arange(size) + 0.5) / size - 0.5) for size in inquiry.shape)
        return (-np.hypot(down[:, None], along[None, :])).astype(np.float32)


@dataclass(frozen=True)
class Given(Ranker):
    """The map that was handed in for this image: any saliency map."""

    needs_map: ClassVar[bool] = True

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32, the map.

        Raises:
            ValueError: there is none, it has another shape, or it is not finite.
        """
        yield from ()
        image = f"image {inquiry.key!r}"
        if inquiry.given_map is None:
            raise ValueError(f"{image}: search.ranking is 'given', but no map was given; pass `maps` to extract_mps")
        landscape = np.asarray(inquiry.given_map, dtype=np.float32)
        if landscape.shape != inquiry.shape:
            raise ValueError(f"{image}: the given map has shape {landscape.shape}, the image {inquiry.shape}")
        if not np.isfinite(landscape).all():
            raise ValueError(f"{image}: the given map must be finite, but some of its values are NaN or infinite")
        return landscape


RANKINGS: dict[str, type[Ranker]] = {
    "responsibility": Responsibility,
    "random": Random,
    "centre": Centre,
    "given": Given,
}
