"""Annotations of a sample's images, by the kinds that sources may name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.images.annotations.kinds import Annotations, boxes, coco_file, masks, voc
from mps_study.images.annotations.matching import matched
from mps_study.images.annotations.regions import fitted, packed
from mps_study.images.candidates import SourceError

log = logging.getLogger(__name__)

COLUMNS = {
    "image": "string",
    "name": "string",
    "left": "float64",
    "top": "float64",
    "right": "float64",
    "bottom": "float64",
    "mask": "object",
}
"""One row a region; `mask` is a PNG of one bit a pixel, or None of a box."""

KEY = "annotations"
"""Of a source: `{kind: NAME, path: PATH}`, or null for none."""

OURS: dict[str, dict[str, str]] = {
    "photos": {"kind": "csv", "path": str(Path(__file__).with_name("photo_boxes.csv"))},
}
"""Kind of source -> the annotations that it has of its own."""


def annotations_of(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a source says of its annotations; else those that its kind has of its own; None for none."""
    given = source.get(KEY, OURS.get(str(source.get("kind"))))
    return None if given is None else dict(given)


def bare(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source without its annotations, which do not change what is drawn from it."""
    return {name: value for name, value in source.items() if name != KEY}


def annotations_fault(given: Any) -> str | None:
    """One line if a source's `annotations` name no kind, or no path; None if all is well."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or given.get("kind") not in ANNOTATIONS:
        return f"annotations are {given!r}; give {{kind: {' | '.join(ANNOTATIONS)}, path: PATH}}, or null"
    strange = sorted(map(str, given.keys() - {"kind", "path"}))
    if strange or not isinstance(given.get("path"), str) or not given["path"]:
        what = f"have no argument {strange[0]!r}" if strange else f"have the path {given.get('path')!r}"
        return f"annotations {what}; give {{kind: {given['kind']}, path: PATH}}"
    return None


def is_gone(annotations: Mapping[str, Any]) -> bool:
    """Whether there is no such folder or file any more."""
    return not Path(annotations["path"]).exists()


def read_regions(annotations: Mapping[str, Any], sizes: Mapping[str, tuple[int, int] | None]) -> pd.DataFrame:
    """The regions of images, in their order: a row each (`COLUMNS`), in pixels of the upright image.

    Images without an annotation have no row, and are counted in a line of log.

    Args:
        annotations: of a source, `{kind: NAME, path: PATH}`.
        sizes: image -> (width, height); None where they are not known yet, and boxes are not looked at.

    Raises:
        SourceError: missing, malformed, of none of these images, ambiguous, or with a box outside of its image.
    """
    where = f"annotations {annotations['kind']} {annotations['path']}"
    listed = ANNOTATIONS[annotations["kind"]](annotations["path"])
    names = matched(sizes, listed, where)
    if sizes and not names:
        example = f", such as {next(iter(listed))!r}," if listed else ""
        raise SourceError(
            f"{where}: none of its {len(listed)} names{example} is that of an image, such as {next(iter(sizes))!r}; "
            "an annotation has the file name of its image"
        )
    rows = []
    for image, name in names.items():
        annotation, size = listed[name](), sizes[image]
        for region in annotation.regions if size is None else fitted(annotation, image, *size):
            mask = None if region.mask is None else packed(region.mask)
            rows.append((image, region.name, *region.box, mask))
    told = "%s: %d of %d images have an annotation, %d regions in all"
    log.info(told, where, len(names), len(sizes), len(rows))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


ANNOTATIONS: dict[str, Callable[[str], Annotations]] = {
    "voc": voc,
    "coco": coco_file,
    "csv": boxes,
    "masks": masks,
}
