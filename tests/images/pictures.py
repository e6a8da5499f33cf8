"""Tiny pictures, each of its own colour."""

import io
from pathlib import Path

from PIL import Image


def encoded(index: int, kind: str = "JPEG") -> bytes:
    """The bytes of a picture of 12 x 9 pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (12, 9), (index * 37 % 256, index * 11 % 256, index)).save(buffer, kind)
    return buffer.getvalue()


def write_pictures(folder: Path, *names: str) -> None:
    """A picture for each name."""
    for index, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(index))
