"""Where images come from: each source lists its candidates without reading them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mps_study.images.bundled import digits, photos
from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.folders import caltech256, folder
from mps_study.images.hugging_face import hugging_face
from mps_study.images.imagenet import imagenet


def candidates_of(source: Mapping[str, Any]) -> list[Candidate]:
    """The candidates of a source given as `{kind: NAME, ...arguments}`, sorted by id.

    Raises:
        SourceError: unknown kind, wrong arguments, or what the source itself raises.
    """
    arguments = dict(source)
    kind = arguments.pop("kind", None)
    if kind not in SOURCES:
        raise SourceError(f"image source {kind!r} is unknown; use one of {', '.join(SOURCES)}")
    takes = inspect.signature(SOURCES[kind]).parameters
    strange = [name for name in arguments if name not in takes]
    missing = [name for name, each in takes.items() if each.default is each.empty and name not in arguments]
    if strange or missing:
        fault = f"has no argument {strange[0]!r}" if strange else f"needs the argument {missing[0]!r}"
        raise SourceError(f"image source {kind} {fault}; it takes {', '.join(takes) or 'none'}")
    return sorted(SOURCES[kind](**arguments), key=lambda candidate: candidate.image)


SOURCES: dict[str, Callable[..., list[Candidate]]] = {
    "folder": folder,
    "imagenet": imagenet,
    "caltech256": caltech256,
    "hugging_face": hugging_face,
    "photos": photos,
    "digits": digits,
}
