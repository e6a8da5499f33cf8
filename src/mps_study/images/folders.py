"""Folders of images: one sub-folder a class, and Caltech-256, whose folders carry their class number."""

from __future__ import annotations

import re
from pathlib import Path

from mps_study.common.imagenet_classes import imagenet_labels
from mps_study.images.candidates import SUFFIXES, Candidate, FileBytes, SourceError, as_id, image_files

CALTECH_256 = "256_ObjectCategories"
CALTECH_CLASSES = 256
"""The 257th folder is clutter: no class of its own, and the paper's 256 classes leave it out."""


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
    files = image_files(root)
    if not files:
        raise SourceError(
            f"image folder {path} holds no image ({', '.join(sorted(SUFFIXES))}); expected one sub-folder a class"
        )
    classes = sorted({as_id(name.parts[0]) for name, _ in files if len(name.parts) > 1})
    labels = imagenet_labels(classes) or {name: (index, name) for index, name in enumerate(classes)}
    candidates = []
    for name, file in files:
        label, class_name = labels[as_id(name.parts[0])] if len(name.parts) > 1 else (None, None)
        candidates.append(Candidate(as_id(name.as_posix()), file.suffix.lower(), FileBytes(file), label, class_name))
    return candidates


def caltech256(path: str) -> list[Candidate]:
    """Caltech-256 as it unpacks: `256_ObjectCategories/001.ak47/001_0001.jpg`.

    The class index is the folder's number less one, so that it does not depend on which folders are there. Clutter
    (257) is excluded, and so is whatever lies deeper than a class folder: the archive carries a few stray files.

    Args:
        path: the folder `256_ObjectCategories`, or the one that holds it.

    Raises:
        SourceError: no such folders there.
    """
    root = Path(path, CALTECH_256) if Path(path, CALTECH_256).is_dir() else Path(path)
    candidates = []
    for name, file in image_files(root):
        numbered = re.fullmatch(r"(\d{3})\.(.+)", name.parts[0])
        if len(name.parts) == 2 and numbered and 1 <= int(numbered[1]) <= CALTECH_CLASSES:
            label = int(numbered[1]) - 1
            candidates.append(
                Candidate(as_id(name.as_posix()), file.suffix.lower(), FileBytes(file), label, as_id(numbered[2]))
            )
    if not candidates:
        raise SourceError(
            f"Caltech-256 is not at {path}: looked for {CALTECH_256}/001.ak47/*.jpg and the like, there or in "
            f"{CALTECH_256} itself; get the archive {CALTECH_256}.tar and give the folder that it unpacks into"
        )
    return candidates
