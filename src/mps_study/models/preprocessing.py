"""A model's own preprocessing: timm's evaluation transform, and the part of the image that it lets through."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
View = tuple[float, float, float, float]
"""Top, left, bottom, right of the part of the source image that the model sees, in source pixels."""


class Preprocessing(BaseModel):
    """How an image becomes a model's input: resize, crop to `input_size`, scale to [0, 1], normalise.

    `mean` and `std` have three numbers for a model of RGB images, or one for a model of grey ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_size: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    mean: tuple[Finite, ...] = (0.485, 0.456, 0.406)
    std: tuple[Annotated[Finite, Field(gt=0)], ...] = (0.229, 0.224, 0.225)
    crop_pct: Annotated[Finite, Field(gt=0, le=1)] = 0.875
    crop_mode: Literal["center", "squash", "border"] = "center"
    interpolation: Literal["bilinear", "bicubic", "nearest", "lanczos"] = "bicubic"

    @model_validator(mode="after")
    def _fits_images(self) -> Preprocessing:
        if len(self.mean) not in (1, 3) or len(self.mean) != len(self.std):
            raise ValueError(
                f"mean has {len(self.mean)} numbers and std {len(self.std)}; give each three (RGB) or one (grey)"
            )
        return self

    @property
    def channels(self) -> int:
        """3 for RGB, 1 for grey."""
        return len(self.mean)

    def pixels(self, image: Image.Image) -> NDArray[np.float32]:
        """(c, h, w) float32, normalised, of an RGB image."""
        seen = image.convert("L") if self.channels == 1 else image
        array: NDArray[np.float32] = _transform(self)(seen).numpy()
        return array

    def seen(self, image: Image.Image) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the part of an RGB image that the model sees, at the size of its input, to be looked at."""
        top, left, bottom, right = self.view(*image.size)
        size = (self.input_size, self.input_size)
        part = image.transform(size, Image.Transform.EXTENT, (left, top, right, bottom), Image.Resampling.BICUBIC)
        return np.asarray(part)

    def view(self, width: int, height: int) -> View:
        """The part of a `width` x `height` image that the crop leaves; beyond the image where it pads."""
        scaled = math.floor(self.input_size / self.crop_pct)
        if self.crop_mode == "squash":
            new_width, new_height = scaled, scaled
        elif self.crop_mode == "border":
            ratio = max(width, height) / scaled
            new_width, new_height = round(width / ratio), round(height / ratio)
        else:
            short = min(width, height)
            new_width, new_height = int(scaled * width / short), int(scaled * height / short)
        left = round((new_width - self.input_size) / 2)
        top = round((new_height - self.input_size) / 2)
        across, down = width / new_width, height / new_height
        return (
            top * down,
            left * across,
            (top + self.input_size) * down,
            (left + self.input_size) * across,
        )


@lru_cache(maxsize=64)
def _transform(preprocessing: Preprocessing) -> Any:
    from timm.data import create_transform  # type: ignore[attr-defined]

    size = preprocessing.input_size
    return create_transform(
        input_size=(preprocessing.channels, size, size),
        is_training=False,
        mean=preprocessing.mean,
        std=preprocessing.std,
        crop_pct=preprocessing.crop_pct,
        crop_mode=preprocessing.crop_mode,
        interpolation=preprocessing.interpolation,
    )
