"""Encoded bytes -> an upright RGB image."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mps_study.common.channels import with_channels
from mps_study.images.channels import array_in, from_array, is_npy, pages_of

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")
"""What is tried, whatever a file is called: of Pillow's other formats one runs a program (EPS, Ghostscript)."""

GROUND = (255, 255, 255)
"""The colour that shows through where an image is transparent."""

LONGEST_RATIO = 100
"""Of the sides: resizing the shorter one of a longer strip to a model's input would take gigabytes."""


class DecodingError(ValueError):
    """An image that cannot be decoded; the message names it and says why."""


def decode(content: bytes, image: str) -> Image.Image:
    """The image in RGB, 8 bits a channel, turned upright by its EXIF orientation.

    An NPY file is an array of `channels.TAKEN`; one of other than one or three channels carries them, and so do the
    grey pages of a TIFF (`common.channels`). Else the first frame of an animation; transparency over white; 16-bit grey
    scaled, not clipped, to 8 bits; CMYK and palettes by Pillow's conversion, which reads no colour profile.

    Raises:
        DecodingError: in no format of `FORMATS`, broken, truncated, too large or too long a strip to decode safely, or
            of 32-bit values, which have no agreed white.
    """
    if is_npy(content):
        with _one_line(image):
            return decode_array(array_in(content), image)
    with _one_line(image, empty=not content), Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        return upright(opened, image)


def decode_array(pixels: NDArray[np.generic], image: str) -> Image.Image:
    """An array as `decode` gives it that of an NPY file.

    Raises:
        DecodingError: as `decode`.
    """
    try:
        found = from_array(pixels)
    except ValueError as error:
        raise DecodingError(f"image {image!r} cannot be used: {error}") from error
    _check_shape(found, image)
    return found


def upright(picture: Image.Image, image: str) -> Image.Image:
    """An opened image as `decode` gives it: it is the same picture, however it arrives.

    Raises:
        DecodingError: as `decode`.
    """
    with _one_line(image):
        _check_shape(picture, image)
        pages = pages_of(picture)
        found = _rgb(ImageOps.exif_transpose(picture), image)
        return found if pages is None else with_channels(found, pages, only=False)


@contextmanager
def _one_line(image: str, empty: bool = False) -> Iterator[None]:
    try:
        yield
    except DecodingError:
        raise
    except UnidentifiedImageError as error:
        what = "is an empty file" if empty else f"is in none of the formats {', '.join(FORMATS)}, NPY"
        raise DecodingError(f"image {image!r} {what}; replace the file or remove it") from error
    except Image.DecompressionBombError as error:
        raise DecodingError(f"image {image!r} is too large to decode ({error}); make it smaller") from error
    except Exception as error:  # on broken bytes Pillow's readers raise whatever they stumble over
        why = " ".join(str(error).split()) or type(error).__name__
        raise DecodingError(f"image {image!r} cannot be decoded ({why}); replace the file or remove it") from error


def _check_shape(opened: Image.Image, image: str) -> None:
    width, height = opened.size
    if max(width, height) > LONGEST_RATIO * min(width, height):
        raise DecodingError(
            f"image {image!r} is a strip of {width} x {height}; crop it to sides of at most {LONGEST_RATIO} to 1"
        )


def _rgb(picture: Image.Image, image: str) -> Image.Image:
    if picture.mode in ("I", "F"):
        raise DecodingError(
            f"image {image!r} has 32-bit values, whose white is not known; save it with 8 or 16 bits a channel"
        )
    if picture.mode.startswith("I;16"):  # Pillow's own conversion clips at 255
        deep = np.asarray(picture).astype(np.uint32)
        grey = ((deep * 255 + 32767) // 65535).astype(np.uint8)
        grey[deep == picture.info.get("transparency", -1)] = GROUND[0]
        return Image.fromarray(grey).convert("RGB")
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, (*GROUND, 255))
        return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    return picture.convert("RGB")
