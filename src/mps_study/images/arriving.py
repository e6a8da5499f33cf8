"""One picture in any of the forms in which it may be handed over -> an upright RGB image, the same for all of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mps_study.common.channels import with_channels
from mps_study.images.channels import as_bytes
from mps_study.images.decoding import DecodingError, decode, decode_array, upright

UNNAMED = "image"
"""The name of a picture that comes without one."""

Arrived = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[Any]
"""A path; the encoded bytes, or a file of them that is open; a Pillow image; or an array of pixels."""

TAKEN = (
    "a path, a Pillow image, the bytes of an image file, a file opened in 'rb', or an array (h, w) or (h, w, 3) of "
    "uint8 in 0..255 (or of uint16; or of as many channels as the model has)"
)

CHANNELS = (2, 3, 4)
"""Of an array: grey with opacity, RGB, RGB with opacity."""


def picture_of(image: Arrived) -> tuple[str, Image.Image]:
    """A short name, and the picture as `decode` gives it for files.

    An array is (h, w) grey or (h, w, 3) RGB, uint8; one more channel is opacity, but for a model of as many channels;
    still more are channels (`decode_array`). uint16 is scaled as 16-bit files are. An array, and an image that has been
    through one, no longer knows of a rotation by EXIF.

    Raises:
        FileNotFoundError: there is no such file.
        DecodingError: nothing that can be taken for a picture: says what arrived, and what is taken.
    """
    if isinstance(image, Image.Image):
        return UNNAMED, upright(image, UNNAMED)
    if isinstance(image, np.ndarray):
        return UNNAMED, _image_of(image)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return UNNAMED, decode(bytes(image), UNNAMED)
    if isinstance(image, (str, os.PathLike)):
        return _named(Path(image))
    if hasattr(image, "read"):
        return _read(image)
    raise DecodingError(f"the image is of type {type(image).__name__}; give {TAKEN}")


def _named(path: Path) -> tuple[str, Image.Image]:
    if not path.is_file():
        what = "this is a folder; give one image" if path.is_dir() else "there is no such file"
        raise FileNotFoundError(f"image {str(path)!r}: {what}")
    return path.stem, decode(path.read_bytes(), str(path))


def _read(file: Any) -> tuple[str, Image.Image]:
    """A file from its beginning: one that was just written stands at its end."""
    if file.seekable():
        file.seek(0)
    content, path = file.read(), getattr(file, "name", None)
    if not isinstance(content, bytes):
        raise DecodingError(f"the file {str(path)!r} was opened as text; open it in 'rb'")
    return (Path(path).stem if isinstance(path, str) else UNNAMED), decode(content, str(path or UNNAMED))


def _image_of(pixels: NDArray[Any]) -> Image.Image:
    if np.ma.is_masked(pixels):
        raise DecodingError("the image is an array of which values are masked; fill them: `.filled(0)`")
    grey, coloured = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[2] in CHANNELS
    kinds = ("uint8", "uint16", "bool") if grey else ("uint8",)
    if pixels.size and (grey or coloured) and pixels.dtype.name in kinds:
        found = upright(Image.fromarray(np.ascontiguousarray(pixels)), UNNAMED)
        clear = pixels.ndim == 3 and pixels.shape[2] != len("RGB")
        return with_channels(found, as_bytes(pixels), only=False) if clear else found
    if pixels.size and pixels.ndim == 3 and pixels.dtype.name in ("uint8", "uint16"):
        return decode_array(pixels, UNNAMED)
    raise DecodingError(f"the image is an array {pixels.shape} of {pixels.dtype}; give {TAKEN}")
