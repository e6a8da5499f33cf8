"""Images that installed packages carry."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mps_study.images.candidates import Candidate, SourceError


def photos() -> list[Candidate]:
    """Photographs that scikit-image, scikit-learn and matplotlib carry in their wheels.

    Labels are ours: the ImageNet-1k class that fits best, listed in `photos.csv`; some pictures fit none.
    """
    table = resources.files("mps_study.images").joinpath("photos.csv").read_text()
    candidates = []
    for row in csv.DictReader(io.StringIO(table)):
        spec = find_spec(row["package"])
        file = Path(spec.origin).parent / row["file"] if spec and spec.origin else None
        if file is None or not file.is_file():
            raise SourceError(
                f"the photo {row['file']} is not in the installed {row['package']}; "
                f"reinstall it, or take another image source"
            )
        candidates.append(
            Candidate(
                row["image"],
                file.suffix,
                file.read_bytes,
                int(row["label"]) if row["label"] else None,
                row["class_name"] or None,
            )
        )
    return candidates


def digits() -> list[Candidate]:
    """scikit-learn's 1797 handwritten digits, 8 x 8 grey, as PNG files; labels 0 to 9."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return [
        Candidate(f"digit_{i:04d}", ".png", _PngOf(grey[i]), int(label), str(label))
        for i, label in enumerate(bunch.target)
    ]


@dataclass(frozen=True)
class _PngOf:
    pixels: np.ndarray[Any, np.dtype[np.uint8]]

    def __call__(self) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(self.pixels).save(buffer, "PNG")
        return buffer.getvalue()
