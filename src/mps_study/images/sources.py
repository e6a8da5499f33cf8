"""Where images come from: each source lists its candidates without reading them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from mps_study.images.annotations.reading import KEY, annotations_fault
from mps_study.images.bundled import digits, photos
from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.folders import caltech256, folder
from mps_study.images.hugging_face import hugging_face
from mps_study.images.imagenet import imagenet


def candidates_of(source: Mapping[str, Any]) -> list[Candidate]:
    """The candidates of a source given as `{kind: NAME, ...arguments}`, sorted by id; its `annotations` are not read.

    Raises:
        SourceError: unknown kind, wrong arguments, or what the source itself raises.
    """
    fault = source_fault(source)
    if fault:
        raise SourceError(fault)
    arguments = {name: value for name, value in source.items() if name not in ("kind", KEY)}
    try:
        found = SOURCES[source["kind"]](**arguments)
    except OSError as error:
        raise SourceError(f"image source {dict(source)} cannot be listed: {error}") from error
    return sorted(found, key=lambda candidate: candidate.image)


def source_fault(source: Mapping[str, Any]) -> str | None:
    """One line if there is no such kind, or it does not take these arguments; None if it does."""
    kind = source.get("kind")
    if not isinstance(kind, str) or kind not in SOURCES:
        return f"image source {kind!r} is unknown; use one of {', '.join(SOURCES)}"
    takes, types = inspect.signature(SOURCES[kind]).parameters, get_type_hints(SOURCES[kind])
    given = {name: value for name, value in source.items() if name not in ("kind", KEY)}
    strange = [name for name in given if name not in takes]
    missing = [name for name, each in takes.items() if each.default is each.empty and name not in given]
    if strange or missing:
        fault = f"has no argument {strange[0]!r}" if strange else f"needs the argument {missing[0]!r}"
        return f"image source {kind} {fault}; it takes {', '.join(takes) or 'none'}"
    for name, value in given.items():
        kinds = tuple(get_origin(each) or each for each in get_args(types[name]) or (types[name],))
        if not isinstance(value, kinds) or value in ("", []):
            text = "a list, or the path of a file" if list in kinds else "text"
            return f"image source {kind}: {name} is {value!r}; use {text}{' or null' if value is not None else ''}"
    marked = annotations_fault(source.get(KEY))
    return f"image source {kind}: {marked}" if marked else None


SOURCES: dict[str, Callable[..., list[Candidate]]] = {
    "folder": folder,
    "imagenet": imagenet,
    "caltech256": caltech256,
    "hugging_face": hugging_face,
    "photos": photos,
    "digits": digits,
}
