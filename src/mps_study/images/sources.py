"""Where images come from: each source lists its candidates without reading them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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


def folder(path: str) -> list[Candidate]:
    """A folder with one sub-folder a class, `path/<class>/**/<image>`.

    Folders that are all named by ImageNet-1k wnids get ImageNet's class index; others get their position in
    sorted order. Images directly in `path`, without any class folder, are unlabelled.

    Raises:
        SourceError: the folder does not exist or holds no image.
    """
    root = Path(path)
    if not root.is_dir():
        raise SourceError(f"image folder {path} does not exist; set the source's path to a folder")
    files = sorted(
        (
            (file.relative_to(root), file)
            for file in root.rglob("*")
            if file.suffix.lower() in SUFFIXES and file.is_file()
        ),
        key=lambda pair: pair[0].as_posix(),
    )
    if not files:
        raise SourceError(
            f"image folder {path} holds no image ({', '.join(sorted(SUFFIXES))}); expected one sub-folder a class"
        )
    classes = sorted({name.parts[0] for name, _ in files if len(name.parts) > 1})
    labels = _imagenet_labels(classes) or {name: (index, name) for index, name in enumerate(classes)}
    candidates = []
    for name, file in files:
        label, class_name = labels[name.parts[0]] if len(name.parts) > 1 else (None, None)
        candidates.append(Candidate(name.as_posix(), file.suffix.lower(), file.read_bytes, label, class_name))
    return candidates


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


def _imagenet_labels(classes: list[str]) -> dict[str, tuple[int, str]] | None:
    """Index and name of each ImageNet-1k wnid; None unless all are."""
    from timm.data import ImageNetInfo  # type: ignore[attr-defined]

    info = ImageNetInfo()
    index = {wnid: i for i, wnid in enumerate(info.label_names())}  # type: ignore[no-untyped-call]
    if not classes or any(name not in index for name in classes):
        return None
    return {name: (index[name], info.index_to_description(index[name]).split(",")[0]) for name in classes}


def candidates_of(source: Mapping[str, Any]) -> list[Candidate]:
    """The candidates of a source given as `{kind: NAME, ...arguments}`, sorted by id.

    Raises:
        SourceError: unknown kind, wrong arguments, or what the source itself raises.
    """
    arguments = dict(source)
    kind = arguments.pop("kind", None)
    if kind not in SOURCES:
        raise SourceError(f"image source {kind!r} is unknown; use one of {', '.join(SOURCES)}")
    try:
        candidates = SOURCES[kind](**arguments)
    except TypeError as error:
        raise SourceError(f"image source {kind}: {error}") from error
    return sorted(candidates, key=lambda candidate: candidate.image)


SOURCES: dict[str, Callable[..., list[Candidate]]] = {
    "folder": folder,
    "photos": photos,
    "digits": digits,
}
