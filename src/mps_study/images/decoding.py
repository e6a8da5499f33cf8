"""Encoded bytes -> an upright RGB image."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError


class DecodingError(ValueError):
    """An image that cannot be decoded; the message names it and says why."""


def decode(content: bytes, image: str) -> Image.Image:
    """The image in RGB, 8 bits a channel, turned upright by its EXIF orientation.

    Raises:
        DecodingError: not an image, truncated, or too large to decode safely.
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            upright = ImageOps.exif_transpose(opened)
            return upright.convert("RGB")
    except UnidentifiedImageError as error:
        raise DecodingError(f"image {image!r} is in no format that Pillow reads") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DecodingError(f"image {image!r} cannot be decoded: {error}") from error
