"""A model's own preprocessing: timm's evaluation transform, and the part of the image that it lets through.

Done with Pillow and NumPy, bit for bit as timm does it: who searches an exported model need not load torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mps_study.common.channels import Channels, carried
from mps_study.common.numbers import plain

Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
View = tuple[float, float, float, float]
"""Top, left, bottom, right of the part of the source image that the model sees, in source pixels."""


LARGEST = 10_000


def _size(given: object) -> object:
    """One number for a square."""
    sides = tuple(given) if isinstance(given, (list, tuple)) else (given, given)
    if len(sides) != 2 or not all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in sides):
        raise ValueError("use a whole number, the side of a square, or [height, width]")
    if not all(1 <= side <= LARGEST for side in sides):
        raise ValueError(f"use sides from 1 to {LARGEST} pixels")
    height, width = map(int, sides)
    return height if height == width else (height, width)


class Preprocessing(BaseModel):
    """How an image becomes a model's input: resize, crop to `input_size`, values from 0 to `scale`, normalise.

    `input_size` is the side of a square, or (height, width). `mean` and `std` have three numbers for a model of colour
    images, one for a model of grey ones, or as many as the channels that it is given of images which carry them
    (`common.channels`); they are of values from 0 to `scale`, in the order of the model's channels:
    `channels` says whether that is red, green, blue or blue, green, red.

    Example:
        >>> Preprocessing(input_size=224, crop_pct=1.0).shape
        (3, 224, 224)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_size: Annotated[int | tuple[int, int], BeforeValidator(_size)]
    mean: tuple[Finite, ...] = (0.485, 0.456, 0.406)
    std: tuple[Annotated[Finite, Field(gt=0)], ...] = (0.229, 0.224, 0.225)
    crop_pct: Annotated[Finite, Field(gt=0, le=1)] = 0.875
    crop_mode: Literal["center", "squash", "border"] = "center"
    interpolation: Literal["bilinear", "bicubic", "nearest", "lanczos"] = "bicubic"
    scale: Annotated[Finite, Field(gt=0)] = 1.0
    channels: Literal["rgb", "bgr"] = "rgb"

    @model_validator(mode="before")
    @classmethod
    def _takes_numpys_numbers(cls, given: Any) -> Any:
        return plain(given)

    @model_validator(mode="after")
    def _fits_images(self) -> Preprocessing:
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError(
                f"mean has {len(self.mean)} numbers and std {len(self.std)}; give each three (RGB), one (grey), or as "
                "many as the model has channels"
            )
        if self.channels == "bgr" and len(self.mean) != 3:
            numbers = "one number, as for grey images" if len(self.mean) == 1 else f"{len(self.mean)} numbers"
            raise ValueError(f"channels is bgr, but mean and std have {numbers}; give each three")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the model's input."""
        return self.input_size if isinstance(self.input_size, tuple) else (self.input_size, self.input_size)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(c, h, w) of the model's input; c is 3 for colour, 1 for grey."""
        return len(self.mean), *self.size

    @property
    def facts(self) -> dict[str, Any]:
        """What can change a pixel, as plain values. Fields that came later are left out where they change nothing."""
        values = self.model_dump(mode="json")
        return {name: value for name, value in values.items() if LATER.get(name) != value}

    def pixels(self, image: Image.Image) -> NDArray[np.float32]:
        """(c, h, w) float32, normalised, of an RGB image, or of the channels that it carries.

        Raises:
            ValueError: it has other channels than the model.
        """
        order = slice(None, None, -1 if self.channels == "bgr" else 1)
        border = tuple(round(255 * mean / self.scale) for mean in self.mean[order])
        channels = self._channels(image)
        if channels is None:
            values = self._cropped(image.convert("L" if len(self.mean) == 1 else "RGB"), border)[..., order]
        else:
            planes = [Image.fromarray(np.ascontiguousarray(each)) for each in np.moveaxis(channels, 2, 0)]
            parts = [self._cropped(plane, (own,)) for plane, own in zip(planes, border, strict=True)]
            values = np.concatenate(parts, axis=2)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        normalised = (values / np.float32(255 / self.scale) - mean) / std
        return np.ascontiguousarray(normalised.transpose(2, 0, 1))

    def _channels(self, image: Image.Image) -> Channels | None:
        """(h, w, c) uint8: what the image carries for this model; None where it is given the image itself."""
        depth = len(self.mean)
        channels, only = carried(image)
        there = 3 if channels is None else channels.shape[2]
        if channels is not None and there == depth:
            return channels
        if depth not in (1, 3) or only:
            other = f"arrays (h, w, {depth}) of uint8 in NPY files, or TIFF files of {depth} grey pages"
            raise ValueError(
                f"it has {there} channels, but the model takes {depth} (preprocessing.mean); give "
                f"{'RGB or grey images' if depth in (1, 3) else other}"
            )
        return None

    def _cropped(self, image: Image.Image, border: tuple[int, ...]) -> NDArray[np.float32]:
        """(h, w, c) float32, 0 to 255: a grey or RGB image resized and cropped."""
        size, (left, top) = self._placed(*image.size)
        resized = image.resize(size, Image.Resampling[self.interpolation.upper()])
        canvas = Image.new(image.mode, self.size[::-1], border if self.crop_mode == "border" else 0)
        canvas.paste(resized, (-left, -top))
        return np.asarray(canvas, np.float32).reshape(*self.size, len(border))

    def seen(self, image: Image.Image) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the part of an RGB image that the model sees, at the size of its input, to be looked at."""
        top, left, bottom, right = self.view(*image.size)
        extent = (left, top, right, bottom)
        part = image.transform(self.size[::-1], Image.Transform.EXTENT, extent, Image.Resampling.BICUBIC)
        return np.asarray(part)

    def view(self, width: int, height: int) -> View:
        """The part of a `width` x `height` image that the crop leaves; beyond the image where it pads."""
        (new_width, new_height), (left, top) = self._placed(width, height)
        across, down = width / new_width, height / new_height
        return (
            top * down,
            left * across,
            (top + self.size[0]) * down,
            (left + self.size[1]) * across,
        )

    def _placed(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Width and height of the resized image, and the left and top of the input in it, negative where it pads."""
        tall, wide = (math.floor(side / self.crop_pct) for side in self.size)
        if self.crop_mode == "squash":
            new = wide, tall
        elif self.crop_mode == "border":
            ratio = max(height / tall, width / wide)
            new = max(1, round(width / ratio)), max(1, round(height / ratio))
        elif tall == wide:
            short = min(width, height)
            new = int(wide * width / short), int(tall * height / short)
        else:
            ratio = min(height / tall, width / wide)
            new = max(1, round(width / ratio)), max(1, round(height / ratio))
        beyond = [side - asked for side, asked in zip(new, self.size[::-1], strict=True)]
        left, top = (round(extra / 2) if extra >= 0 else -(-extra // 2) for extra in beyond)
        return new, (left, top)


def pixels_of(preprocessing: Preprocessing, images: Iterable[Image.Image]) -> list[NDArray[np.float32]]:
    """Pixels (c, h, w) of the images that have the model's channels.

    Raises:
        ValueError: none of them has.
    """
    found, faults = [], []
    for image in images:
        try:
            found.append(preprocessing.pixels(image))
        except ValueError as error:
            faults.append(f"no image fits the model; of the first: {error}")
    if faults and not found:
        raise ValueError(faults[0])
    return found


LATER: dict[str, Any] = {"scale": 1.0, "channels": "rgb"}
"""Fields that came after the first records -> the value with which they change no pixel."""


def implausible(preprocessing: Preprocessing) -> str | None:
    """Why mean and std are those of values of another scale; None if they can be of this one."""
    mean, std, scale = preprocessing.mean, preprocessing.std, preprocessing.scale
    if max(mean) > scale:
        return (
            f"mean reaches {max(mean):g} and std {max(std):g}, but the model is given values from 0 to {scale:g}; "
            f"for a model of values from 0 to 255 give `scale: 255`, else divide both by 255"
        )
    if scale > 2 and 0 < max(mean) <= 1:
        return (
            f"mean is at most {max(mean):g}, but with `scale: {scale:g}` the model is given values from 0 to "
            f"{scale:g}; leave `scale` out, or give mean and std of these values"
        )
    if max(std) > 2 * scale:
        return (
            f"std reaches {max(std):g}, but the model is given values from 0 to {scale:g}; for a model of values from "
            "0 to 255 give `scale: 255`, else divide it by 255"
        )
    return None
