"""What a source lists: images that may be drawn, none of them read yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


class SourceError(ValueError):
    """A source that cannot be used as configured; the message says what is missing and where."""


@dataclass(frozen=True)
class Candidate:
    """An image that may be drawn.

    Args:
        image: unique id within its source, the same on every machine.
        suffix: file suffix of the encoded image, with the dot.
        read: the encoded bytes, when they are needed.
        label: class index; None if unknown.
        class_name: its name; None if unknown.
    """

    image: str
    suffix: str
    read: Callable[[], bytes]
    label: int | None = None
    class_name: str | None = None


def image_files(root: Path) -> list[tuple[PurePath, Path]]:
    """(path relative to `root`, path) of every image file below `root`, through links, sorted by the former.

    By name alone: asking the file system about each of 100 000 files takes minutes on a network disk.
    """
    found = [
        Path(folder, name)
        for folder, _, names in os.walk(root, followlinks=True)
        for name in names
        if PurePath(name).suffix.lower() in SUFFIXES
    ]
    return sorted(((file.relative_to(root), file) for file in found), key=lambda pair: pair[0].as_posix())
