"""Names of classes as people write them: a list, a mapping, a file; and when two names are the same."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from mps_study.common.imagenet_classes import imagenet_names

NO_LABEL = "none of its labels"
"""The answer of a model of several labels to an image that has none of them."""

IMAGENET: Literal["imagenet-1k"] = "imagenet-1k"
"""Stands for the names of ImageNet's 1,000 classes."""


def names_from(given: object, what: str) -> tuple[str, ...]:
    """The names of classes 0, 1, 2, ..., in this order.

    Args:
        given: a list of names; a mapping of index to name; `imagenet-1k`; or the path of a file: `.json`, `.yaml` or
            `.yml` with one of the former (or with it under `names`, as Ultralytics writes it), else text, one name a
            line. `[wnid, name]`, as Keras writes it, is the name.
        what: where it was given, for messages.

    Raises:
        ValueError: no such file, indices that leave one out, a name that is no text.
    """
    if given == IMAGENET:
        return tuple(imagenet_names().values())
    if isinstance(given, str):
        what, given = f"{what} ({given})", _read(Path(given), what)
    if isinstance(given, Mapping):
        given = _in_order(given, what)
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise ValueError(f"{what} is {given!r}; use a list of names, the path of a file, or {IMAGENET}")
    return tuple(_name(name, index, what) for index, name in enumerate(given))


def same_name(name: str) -> str:
    """What is equal for names that differ in case, in underscores for spaces, or in how accents are encoded."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", name)).strip().casefold()


def _read(path: Path, what: str) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise ValueError(f"{what}: {str(path)!r}: {why}; give a list of names, a text file of one a line, or "
                         f"{IMAGENET}") from error  # fmt: skip
    try:
        match path.suffix.lower():
            case ".json":
                found = json.loads(text)
            case ".yaml" | ".yml":
                found = yaml.safe_load(text)
            case _:
                return text.rstrip().splitlines()
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{what}: {str(path)!r} cannot be read ({' '.join(str(error).split())})") from error
    return found["names"] if isinstance(found, Mapping) and "names" in found else found


def _in_order(given: Mapping[Any, Any], what: str) -> list[Any]:
    try:
        found = {int(index): name for index, name in given.items()}
    except (TypeError, ValueError):
        raise ValueError(f"{what} is a mapping of {next(iter(given))!r}; map each index to its name") from None
    if sorted(found) != list(range(len(given))):
        raise ValueError(f"{what} has {len(given)} names, but not one for each index from 0 to {len(given) - 1}")
    return [found[index] for index in range(len(found))]


def _name(name: object, index: int, what: str) -> str:
    if isinstance(name, Sequence) and not isinstance(name, str) and name:
        name = name[-1]
    if isinstance(name, bool) or not isinstance(name, (str, int)) or not str(name).strip():
        raise ValueError(f"{what}: the name of class {index} is {name!r}; use text, in quotes where YAML reads it else")
    return " ".join(str(name).split())  # a line break would end a line of the terminal, a table, a caption
