"""What people marked on one image: boxes and masks, in pixels of the picture as it is decoded, upright."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mps_study.images.candidates import SourceError

SLACK = 1.0
"""Pixels by which a box may reach over the border: files count from 0 or 1, and round; it is cut off there."""


@dataclass(frozen=True)
class Region:
    """A box, and the object's own pixels where they were marked.

    Args:
        left, top, right, bottom: in pixels; right and bottom are the first ones behind the box.
        name: of what is there; None where the file says none.
        mask: (h, w) bool of the whole picture, True = object; None of a box.
    """

    left: float
    top: float
    right: float
    bottom: float
    name: str | None = None
    mask: NDArray[np.bool_] | None = None

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True)
class Annotation:
    """What a file says of one picture.

    Args:
        where: the file, and the place in it, for messages.
        regions: none where people looked and marked nothing.
        size: (width, height) of the picture that they looked at; None where the file does not say.
    """

    where: str
    regions: list[Region] = field(default_factory=list)
    size: tuple[int, int] | None = None


def fitted(annotation: Annotation, image: str, width: int, height: int) -> list[Region]:
    """The regions in pixels of the image, which may be larger or smaller than the picture that people looked at.

    Raises:
        SourceError: a picture of another form, a box outside of the image, or one without a pixel.
    """
    wide, high = annotation.size or (width, height)
    if not _alike(wide, high, width, height):
        turned = "; upright by EXIF its sides change places: annotate it upright" * _alike(high, wide, width, height)
        raise SourceError(
            f"{annotation.where}: is of a picture of {wide} x {high} pixels, but image {image!r} has {width} x {height}"
            f"{turned or '; give the annotation of this image'}"
        )
    scale = width / wide, height / high
    return [_inside(_scaled(region, scale, width, height), annotation.where, image, scale, width, height)
            for region in annotation.regions]  # fmt: skip


def _alike(wide: int, high: int, width: int, height: int) -> bool:
    """Whether one scale, but for rounding by a pixel, makes one of the other."""
    across, down = ((wide - 1) / width, (wide + 1) / width), ((high - 1) / height, (high + 1) / height)
    return max(across[0], down[0]) <= min(across[1], down[1])


def _scaled(region: Region, scale: tuple[float, float], width: int, height: int) -> Region:
    if scale == (1.0, 1.0):
        return region
    across, down = scale
    mask = region.mask
    if mask is not None:
        mask = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    box = region.left * across, region.top * down, region.right * across, region.bottom * down
    return Region(*box, region.name, mask)


def _inside(region: Region, where: str, image: str, scale: tuple[float, float], width: int, height: int) -> Region:
    """The region without what reaches over the border by `SLACK`."""
    over = max(-region.left, region.right - width) > SLACK * max(1, scale[0])
    over |= max(-region.top, region.bottom - height) > SLACK * max(1, scale[1])
    box = ", ".join(f"{edge:g}" for edge in region.box)
    if over or not np.isfinite(region.box).all():
        raise SourceError(
            f"{where}: the box ({box}) lies outside of image {image!r}, which has {width} x {height} pixels; give "
            "left, top, right, bottom in pixels of the upright image"
        )
    left, top, right, bottom = (
        max(region.left, 0),
        max(region.top, 0),
        min(region.right, width),
        min(region.bottom, height),
    )
    if left >= right or top >= bottom:
        raise SourceError(f"{where}: the box ({box}) of image {image!r} holds no pixel; mend or remove it")
    return replace(region, left=left, top=top, right=right, bottom=bottom)


def of_mask(mask: NDArray[np.bool_], name: str | None = None) -> Region | None:
    """The region of a mask (h, w) bool, with the smallest box around it; None of an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Region(float(columns[0]), float(rows[0]), float(columns[-1]) + 1, float(rows[-1]) + 1, name, mask)


def packed(mask: NDArray[np.bool_]) -> bytes:
    """A mask as PNG of one bit a pixel."""
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def unpacked(png: bytes) -> NDArray[np.bool_]:
    """(h, w) bool of what `packed` made."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        return np.array(picture, dtype=np.bool_)
