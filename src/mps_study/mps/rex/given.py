"""Rankings by a map that is handed in: the search knows its values, and not how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mps_study.mps.common.fields import flag, taken
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.rex.ranking import Landscape, Ranker
from mps_study.mps.types import Search


def _folder(name: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError(f"search.{name} is {value!r}; use the path of a folder")


@dataclass(frozen=True)
class Mapped(Ranker):
    """The map that was handed in for this image, whoever made it."""

    needs_map: ClassVar[bool] = True

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32, the map.

        Raises:
            ValueError: there is none, it has another shape, or it is not finite.
        """
        yield from ()
        image = f"image {inquiry.key!r}"
        if inquiry.given_map is None:
            raise ValueError(f"{image}: search.ranking reads a map, but no map was given; pass `maps` to extract_mps")
        landscape = np.asarray(inquiry.given_map, dtype=np.float32)
        if landscape.shape != inquiry.shape:
            raise ValueError(f"{image}: the given map has shape {landscape.shape}, the image {inquiry.shape}")
        if not np.isfinite(landscape).all():
            raise ValueError(f"{image}: the given map must be finite, but some of its values are NaN or infinite")
        return landscape


@dataclass(frozen=True)
class Given(Mapped):
    """Any saliency map of one's own.

    Args:
        path: where a study finds them, a folder with `MODEL/IMAGE.npy`, each (h, w) numbers at the model's input size.
            Without a study they are handed to `extract_mps`, as `maps`.
        resize: take maps of another size, too, and resize them bilinearly to the model's input.
    """

    path: str | None = taken(None, _folder)
    resize: bool = flag(False)
