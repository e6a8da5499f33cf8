"""The names of a model's classes: what its roster entry says, else its own file, else ImageNet's for timm's weights."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import onnx

from mps_study.common.class_names import IMAGENET, names_from
from mps_study.common.imagenet_classes import IMAGENET_CLASSES
from mps_study.common.spelling import unknown
from mps_study.models.export.card import SAMPLE, TRAINING
from mps_study.models.inference.onnx_file import read_graph
from mps_study.models.roster.roster import ModelEntry

log = logging.getLogger(__name__)

KEYS = ("names", "class_names", "classes", "labels", "id2label")
"""Under which exporters write class names into a file's metadata; the first is Ultralytics'."""


def names_of_entry(name: str, entry: ModelEntry) -> tuple[str, ...] | None:
    """The names of the model's classes by index; None if nobody says.

    Raises:
        ValueError: `class_names` cannot be read, or are not as many as the model has classes.
        FileNotFoundError, OnnxFileError: an ONNX file of the user's own cannot be read.
    """
    if entry.class_names is not None:
        return names_given(entry.class_names, entry.classes, f"model {name!r}: class_names")
    if entry.onnx is not None:
        return names_in_file(read_graph(Path(entry.onnx)), entry.classes, Path(entry.onnx))
    timms = entry.weights.partition(":")[0] in ("hub", "package")
    return names_from(IMAGENET, name) if timms and entry.classes == IMAGENET_CLASSES else None


def names_given(given: object, classes: int, what: str) -> tuple[str, ...]:
    """The names that a user gives to a model of so many classes.

    Raises:
        ValueError: they cannot be read, or are not as many.
    """
    names = names_from(given, what)
    if len(names) != classes:
        raise ValueError(f"{what} has {len(names)} names, but the model has {classes} classes; give one for each")
    return names


def names_in_file(model: onnx.ModelProto, classes: int, path: Path) -> tuple[str, ...] | None:
    """The names in an ONNX file's own metadata; None without any that fit."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    for key in KEYS:
        found = _parsed(metadata.get(key, ""))
        if found is None:
            continue
        try:
            return names_given(found, classes, f"{path}: its metadata {key!r}")
        except ValueError as error:
            log.warning("%s; they are not used", error)
    return None


def _parsed(text: str) -> Any:
    """A list or mapping as Python or JSON write it; None if it is something else."""
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return found if isinstance(found, (list, tuple, Mapping)) else None
    return None


def names_on_card(
    name: str, entry: ModelEntry, trained_on: Mapping[str, str] | None = None
) -> Literal["imagenet-1k", "sample", "training"] | tuple[str, ...]:
    """What a card says of the model's class names; `trained_on`: index -> name, of the images it was fine-tuned on.

    Raises:
        As `names_of_entry`.
    """
    names = names_of_entry(name, entry)
    if names is None and entry.wants_fine_tuning and trained_on is not None:
        found = [trained_on.get(str(index)) for index in range(entry.classes)]
        names = tuple(map(str, found)) if all(found) else None
        return names or TRAINING
    if names is None:
        return SAMPLE
    return IMAGENET if names == names_from(IMAGENET, name) else names


def class_index(target: str | int, classes: int, names: Mapping[int, str]) -> int:
    """The index of a class that is given by index or by name.

    Raises:
        ValueError: there is no such class, or several have the name.
    """
    if isinstance(target, int):
        if target >= classes:
            raise ValueError(f"search.target is {target}, but the model's classes are 0 to {classes - 1}")
        return target
    if not names:
        raise ValueError(f"search.target is {target!r}, but the model's classes have no names; give an index")
    found = [index for index, name in names.items() if name == target]
    if len(found) > 1:
        raise ValueError(
            f"search.target is {target!r}, the name of classes {', '.join(map(str, found))}; give an index"
        )
    if not found:
        raise ValueError(unknown("class", target, names.values(), "search.target is a class's name or index."))
    return found[0]
