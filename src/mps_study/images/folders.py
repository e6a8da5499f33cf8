"""Folders of images: one sub-folder a class, and Caltech-256, whose folders carry their class number."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from mps_study.common.class_names import names_from, same_name
from mps_study.images.candidates import SUFFIXES, Candidate, FileBytes, SourceError, as_id, image_files

CALTECH_256 = "256_ObjectCategories"
CALTECH_CLASSES = 256
"""The 257th folder is clutter: no class of its own, and the paper's 256 classes leave it out."""


def folder(path: str, classes: list[Any] | str | None = None) -> list[Candidate]:
    """A folder with one sub-folder a class, `path/<class>/**/<image>`.

    The class is the sub-folder's name; its index is its place in `classes`, or what `labels.labelled` makes of the
    name. Images directly in `path`, without any class folder, are unlabelled.

    Args:
        path: the folder.
        classes: the names of classes 0, 1, 2, ... as the folders spell them: a list, or the path of a file of them.

    Raises:
        SourceError: the folder does not exist or holds no image, or `classes` cannot be read.
    """
    root = Path(path)
    if not root.is_dir():
        raise SourceError(f"image folder {path} does not exist; set the source's path to a folder")
    files = image_files(root)
    if not files:
        raise SourceError(
            f"image folder {path} holds no image ({', '.join(sorted(SUFFIXES))}); expected one sub-folder a class"
        )
    labels = {same_name(name): (index, name) for index, name in enumerate(classes_of(classes))}
    candidates = []
    for name, file in files:
        class_name = as_id(name.parts[0]) if len(name.parts) > 1 else None
        label, class_name = labels.get(same_name(class_name), (None, class_name)) if class_name else (None, None)
        candidates.append(Candidate(as_id(name.as_posix()), file.suffix.lower(), FileBytes(file), label, class_name))
    return candidates


def classes_of(classes: list[Any] | str | None) -> tuple[str, ...]:
    """The names that a source gives for its classes, each once; none if it gives none.

    Raises:
        SourceError: they cannot be read, or one is there twice.
    """
    if classes is None:
        return ()
    try:
        names = names_from(classes, "image source folder: classes")
    except ValueError as error:
        raise SourceError(str(error)) from error
    twice = [name for name, times in Counter(map(same_name, names)).items() if times > 1]
    if twice:
        raise SourceError(f"image source folder: classes names {twice[0]!r} twice; give each class one name")
    return names


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
