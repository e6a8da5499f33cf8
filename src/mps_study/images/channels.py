"""Images of any number of channels: arrays in NPY files, and TIFF files of several grey pages."""

from __future__ import annotations

import io
import math
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

from mps_study.common.channels import Channels, with_channels

NPY = b"\x93NUMPY"
"""How an NPY file begins."""

MOST = 512
"""Channels, at most."""

TAKEN = "an array (h, w) or (h, w, channels) of uint8 or uint16"


def is_npy(content: bytes) -> bool:
    """Whether the bytes are those of an NPY file, whatever it is called."""
    return content.startswith(NPY)


def array_in(content: bytes) -> NDArray[np.generic]:
    """The array of an NPY file; nothing in it is run, and no more memory taken than its bytes fill.

    Raises:
        ValueError: it is broken, cut short, or holds objects.
    """
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"it says to be an array {shape} of {dtype}, and is not as long")
    file.seek(0)
    array: NDArray[np.generic] = np.load(file, allow_pickle=False)
    return array


def from_array(pixels: NDArray[np.generic]) -> Image.Image:
    """The picture of an array: one channel is grey, three are RGB; others are carried, and the first ones looked at.

    Raises:
        ValueError: no such array.
    """
    there = f"an array {pixels.shape} of {pixels.dtype}"
    if pixels.ndim not in (2, 3) or not pixels.size or pixels.dtype.name not in ("uint8", "uint16"):
        raise ValueError(f"it is {there}; give {TAKEN}")
    channels = pixels.reshape(*pixels.shape[:2], -1)
    depth = channels.shape[2]
    if depth > MOST or (depth not in (1, 3) and depth > channels.shape[0] and channels.shape[0] < channels.shape[1]):
        raise ValueError(f"it is {there}, of {depth} channels; they must come last, as in numpy.moveaxis(array, 0, -1)")
    bytes_ = as_bytes(channels)
    if depth == 1:
        return Image.fromarray(bytes_[..., 0]).convert("RGB")
    return Image.fromarray(bytes_) if depth == 3 else with_channels(look_of(bytes_), bytes_)


def as_bytes(pixels: NDArray[np.generic]) -> Channels:
    """Of 8 bits a value; those of 16 are scaled, not clipped."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels).view(np.uint8)
    return np.asarray((pixels.astype(np.uint32) * 255 + 32767) // 65535, dtype=np.uint8)


def look_of(channels: Channels) -> Image.Image:
    """What is looked at of more than one channel: the first three as red, green, blue; of two the first, grey."""
    if channels.shape[2] < 3:
        return Image.fromarray(np.ascontiguousarray(channels[..., 0])).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(channels[..., :3]))


def pages_of(opened: Image.Image) -> Channels | None:
    """(h, w, pages) of a TIFF of several grey pages of one size; None of any other file."""
    frames, pixels = getattr(opened, "n_frames", 1), opened.width * opened.height
    if opened.format != "TIFF" or not 1 < frames <= MOST or frames * pixels > (Image.MAX_IMAGE_PIXELS or math.inf):
        return None
    at = opened.tell()
    pages: list[Channels] = []
    for page in islice(ImageSequence.Iterator(opened), MOST):
        if not (page.mode == "L" or page.mode.startswith("I;16")) or page.size != opened.size:
            pages = []
            break
        pages.append(as_bytes(np.asarray(ImageOps.exif_transpose(page))))
    opened.seek(at)
    return np.stack(pages, axis=2) if pages else None
