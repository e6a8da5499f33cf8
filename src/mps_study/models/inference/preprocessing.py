"""A model's own preprocessing: timm's evaluation transform, and the part of the image that it lets through.

Done with Pillow and NumPy, bit for bit as timm does it: who searches an exported model need not load torch.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
WHITE = 1.0
"""The largest value of a pixel before it is normalised, and so of a mean; a std lies below, or is 1 for none."""

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
        for name, values in (("mean", self.mean), ("std", self.std)):
            if max(values) > WHITE:
                raise ValueError(
                    f"{name} has {max(values):g}, but pixels are scaled to [0, 1] before; divide mean and std by 255"
                )
        return self

    @property
    def channels(self) -> int:
        """3 for RGB, 1 for grey."""
        return len(self.mean)

    def pixels(self, image: Image.Image) -> NDArray[np.float32]:
        """(c, h, w) float32, normalised, of an RGB image."""
        mode = "L" if self.channels == 1 else "RGB"
        size, (left, top) = self._placed(*image.size)
        resized = image.convert(mode).resize(size, Image.Resampling[self.interpolation.upper()])
        border = tuple(round(255 * mean) for mean in self.mean) if self.crop_mode == "border" else 0
        canvas = Image.new(mode, (self.input_size, self.input_size), border)
        canvas.paste(resized, (-left, -top))
        values = np.asarray(canvas, np.float32).reshape(self.input_size, self.input_size, self.channels)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        normalised = (values / np.float32(255) - mean) / std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))

    def seen(self, image: Image.Image) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the part of an RGB image that the model sees, at the size of its input, to be looked at."""
        top, left, bottom, right = self.view(*image.size)
        size = (self.input_size, self.input_size)
        part = image.transform(size, Image.Transform.EXTENT, (left, top, right, bottom), Image.Resampling.BICUBIC)
        return np.asarray(part)

    def view(self, width: int, height: int) -> View:
        """The part of a `width` x `height` image that the crop leaves; beyond the image where it pads."""
        (new_width, new_height), (left, top) = self._placed(width, height)
        across, down = width / new_width, height / new_height
        return (
            top * down,
            left * across,
            (top + self.input_size) * down,
            (left + self.input_size) * across,
        )

    def _placed(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Width and height of the resized image, and the left and top of the input in it, negative where it pads."""
        scaled = math.floor(self.input_size / self.crop_pct)
        if self.crop_mode == "squash":
            new = scaled, scaled
        elif self.crop_mode == "border":
            ratio = max(width, height) / scaled
            new = max(1, round(width / ratio)), max(1, round(height / ratio))
        else:
            short = min(width, height)
            new = int(scaled * width / short), int(scaled * height / short)
        beyond = [side - self.input_size for side in new]
        left, top = (round(extra / 2) if extra >= 0 else -(-extra // 2) for extra in beyond)
        return new, (left, top)
