"""Which class an image is of: by its folder's name, not by its place among the folders that happen to be there."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mps_study.common.class_names import same_name
from mps_study.common.imagenet_classes import IMAGENET_CLASSES, imagenet_labels, imagenet_names
from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.sources import candidates_of

log = logging.getLogger(__name__)

Labels = Mapping[str, tuple[int, str | None]]
"""Folder -> class index, and the class's name if it has one."""

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")

SHOWN = 5
"""How many names a message lists."""


@dataclass(frozen=True)
class Labelled:
    """The images of a source, each with its class index; those without a class as they are.

    Attributes:
        candidates: all of them.
        names: class index -> name, of the classes whose names are known.
        total: how many classes there are, if the source or what it was read by tells; None if it does not.
        certain: whether an index stands by itself (numbers, wnids, a data set's own): a model may then have more
            classes than the source. If not, both must have as many.
    """

    candidates: list[Candidate]
    names: Mapping[int, str]
    total: int | None = None
    certain: bool = True


def labelled(source: Mapping[str, Any], known: Mapping[int, str] | None = None) -> Labelled:
    """The images of a source of labelled images.

    A folder's class is, in this order: its place in the source's own `classes`; that of its name in `known`, if all
    folders have one there; its number, if all folders are whole numbers; ImageNet's index, if all are wnids; and where
    nothing is known, its place among the sorted folders.

    Args:
        source: `{kind: NAME, ...arguments}`.
        known: class index -> name, of the models that will be asked.

    Raises:
        SourceError: no image has a class, or a folder's class is not known while that of others is.
    """
    candidates = candidates_of(source)
    where = f"image source {source.get('kind')} {source.get('path', '')}".strip()
    folders = {each.class_name for each in candidates if each.class_name is not None and each.label is None}
    named = {each.label: each.class_name for each in candidates if each.label is not None and each.class_name}
    if not folders and not any(each.label is not None for each in candidates):
        raise SourceError(_without_classes(candidates, source, where))
    if not folders:
        given = source.get("classes") is not None
        if known and not given and disagreement(named, known):
            return _renumbered(candidates, named, known, where)
        return Labelled(candidates, named, _listed(source) if given else None, certain=not given)
    if named:
        raise SourceError(_strangers(folders, "its `classes`", where))
    labels, total, certain = _labels_of(folders, known or {}, where)
    numbered = [replace(c, label=labels[c.class_name][0], class_name=labels[c.class_name][1]) if c.class_name else c
                for c in candidates]  # fmt: skip
    names = dict(known or {}) | {index: name for index, name in labels.values() if name}
    return Labelled(numbered, names, total, certain)


def _renumbered(
    candidates: list[Candidate], named: Mapping[int, str], known: Mapping[int, str], where: str
) -> Labelled:
    """A data set that numbers the same classes in another order: by name, if all have one; else as it is."""
    by_name = _by_name(set(named.values()), known, where)
    if len(by_name) < len(set(named.values())):
        return Labelled(candidates, named)
    moved = [replace(c, label=by_name[c.class_name][0]) if c.class_name else c for c in candidates]
    return Labelled(moved, dict(known))


def _labels_of(folders: Collection[str], known: Mapping[int, str], where: str) -> tuple[Labels, int | None, bool]:
    """Labels, how many classes there are if that is known, and whether the indices stand by themselves."""
    by_name = _by_name(folders, known, where)
    if len(by_name) == len(folders):
        return by_name, len(known), False
    if all(name.isascii() and name.isdigit() for name in folders):
        return _by_number(folders, known, where), None, True
    wnids = {name: label for name in folders for label in (imagenet_labels([name]) or {}).values()}
    if wnids and known and not _are_imagenets(known.values()):
        raise SourceError(_strangers(folders, f"the model's classes ({_few(known.values())})", where))
    if len(wnids) == len(folders):
        return wnids, IMAGENET_CLASSES, True
    if wnids:
        raise SourceError(_strangers(folders - wnids.keys(), "ImageNet-1k's wnids, as others are", where))
    if known:
        raise SourceError(_strangers(folders - by_name.keys(), f"the model's classes ({_few(known.values())})", where))
    _check_order(folders, where)
    log.info("%s: nothing names the classes; folders are numbered in their order, 0 is %r", where, min(folders))
    return {name: (index, name) for index, name in enumerate(sorted(folders))}, len(folders), False


def _check_order(folders: Collection[str], where: str) -> None:
    """Refuse folders of which the place among the others says nothing: numbers that are none of classes, and twins.

    Raises:
        SourceError: as said.
    """
    numbers = sorted(name for name in folders if _NUMBER.fullmatch(name))
    if numbers:
        raise SourceError(
            f"{where}: {'folders' if len(numbers) > 1 else 'folder'} {_few(numbers)}: numbers, but not all folders are "
            "class indices (0, 1, 2, ...); rename, or say which folder is which class: `classes: [NAME, ...]` in the "
            "source, all by index, or a file"
        )
    first: dict[str, str] = {}
    for name in sorted(folders):
        twin = first.setdefault(same_name(name), name)
        if twin != name:
            raise SourceError(
                f"{where}: the folders {twin!r} and {name!r} have one name, written in two ways; merge them"
            )


def _by_name(folders: Iterable[str], known: Mapping[int, str], where: str) -> Labels:
    """Of the folders whose name is that of a class: as it is spelled, or else but for case and underscores."""
    exact: dict[str, list[int]] = {}
    alike: dict[str, list[int]] = {}
    for index, name in known.items():
        exact.setdefault(name, []).append(index)
        alike.setdefault(same_name(name), []).append(index)
    found: dict[str, tuple[int, str | None]] = {}
    for folder in folders:
        indices = exact.get(folder) or alike.get(same_name(folder), [])
        if len(indices) > 1:
            raise SourceError(
                f"{where}: {folder!r} is the name of classes {indices[0]} and {indices[1]}; name all folders by their "
                "class numbers (or, for ImageNet, wnids)"
            )
        if indices:
            found[folder] = indices[0], known[indices[0]]
    return found


def _are_imagenets(names: Iterable[str]) -> bool:
    """Whether a model's names may be ImageNet's, in any of their longer and shorter forms."""
    short = {same_name(name) for name in imagenet_names().values()}
    return any(same_name(name.partition(",")[0]) in short for name in names)


def _by_number(folders: Iterable[str], known: Mapping[int, str], where: str) -> Labels:
    numbers: dict[int, str] = {}
    for name in sorted(folders):
        twin = numbers.setdefault(int(name), name)
        if twin != name:
            raise SourceError(f"{where}: the folders {twin!r} and {name!r} are both of class {int(name)}; merge them")
    return {name: (index, known.get(index)) for index, name in numbers.items()}


def _listed(source: Mapping[str, Any]) -> int:
    from mps_study.images.folders import classes_of

    return len(classes_of(source["classes"]))


def _strangers(strangers: Collection[str], known: str, where: str) -> str:
    return (
        f"{where}: {'folders' if len(strangers) > 1 else 'folder'} {_few(sorted(strangers))}: none of {known}; remove "
        "or rename, or say which folder is which class: `classes: [NAME, ...]` in the source, all by index, or a file"
    )


def _without_classes(candidates: Collection[Candidate], source: Mapping[str, Any], where: str) -> str:
    lie = "lie directly in the folder, not in one sub-folder a class" if source.get("kind") == "folder" else "have none"
    return (
        f"{where}: labelled images are wanted, but its {len(candidates)} images {lie}; to draw them as unlabelled, "
        f"write data_sampling: {{labelled: null, unlabelled: {{source: {_yaml(source)}, n: {len(candidates)}}}}}"
    )


def _yaml(source: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in source.items()) + "}"


def _few(names: Iterable[str]) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:SHOWN]) + (f", ... ({len(shown)})" if len(shown) > SHOWN else "")


def disagreement(one: Mapping[int, str], other: Mapping[int, str]) -> tuple[str, int, int] | None:
    """(name, index in one, index in the other) of a class that both have at different indices; None if there is none.

    Names that only one of them has say nothing: people spell differently. One that is no more than its index, as some
    data sets have it, is no name.
    """
    ours, theirs = _places(one), _places(other)
    for name, indices in ours.items():
        if name in theirs and not theirs[name] & indices:
            return one[min(indices)], min(indices), min(theirs[name])
    return None


def _places(names: Mapping[int, str]) -> dict[str, set[int]]:
    places: dict[str, set[int]] = {}
    for index, name in names.items():
        if name != str(index):
            places.setdefault(same_name(name), set()).add(index)
    return places
