"""Annotations in the form of COCO's JSON files."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mps_study.images.annotations.regions import Annotation, Region, of_mask
from mps_study.images.candidates import SourceError

log = logging.getLogger(__name__)


def coco(file: Path) -> Mapping[str, Callable[[], Annotation]]:
    """Name of a picture -> what the file says of it: its boxes, or its masks where it has them.

    Polygons and run lengths are read by pycocotools; without it the boxes are taken, and a warning says so.

    Raises:
        SourceError: it is no JSON, or not of this form; and when a picture is asked for, a region that is not.
    """
    try:
        content = json.loads(file.read_bytes())
        pictures = {each["id"]: each for each in content["images"]}
        names = {each["id"]: str(each["name"]) for each in content.get("categories", [])}
        marked: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for each in content["annotations"]:
            marked[pictures[each["image_id"]]["id"]].append(each)
        listed = {str(each["file_name"]): each for each in pictures.values()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(
            f"annotations {str(file)!r} are not in COCO's form ({why}); expected `images`, `annotations`, `categories`"
        ) from error
    exact = find_spec("pycocotools") is not None
    if not exact and any(each.get("segmentation") for all_ in marked.values() for each in all_):
        log.warning("%s: without pycocotools its boxes are taken, not its masks; `pip install 'mps-study[coco]'`", file)
    return {name: partial(_read, str(file), each, marked[each["id"]], names, exact) for name, each in listed.items()}


def _read(
    where: str, picture: Mapping[str, Any], marked: list[dict[str, Any]], names: Mapping[Any, str], exact: bool
) -> Annotation:
    where = f"{where}, image {picture['file_name']}"
    try:
        size = (int(picture["width"]), int(picture["height"])) if "width" in picture and "height" in picture else None
        regions = [_region(each, size, names.get(each.get("category_id")), exact) for each in marked]
    except Exception as error:  # pycocotools raises whatever it stumbles over
        why = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        raise SourceError(f"{where}: a region cannot be read ({why}); mend or remove it") from error
    return Annotation(where, [region for region in regions if region is not None], size)


def _region(marked: Mapping[str, Any], size: tuple[int, int] | None, name: str | None, exact: bool) -> Region | None:
    """A mask if there is one, else the box; None of an empty mask."""
    if marked.get("segmentation") and exact and size is not None:
        return of_mask(_mask(marked["segmentation"], *size), name)
    left, top, width, height = map(float, marked["bbox"])
    return Region(left, top, left + width, top + height, name)


def _mask(segmentation: Any, width: int, height: int) -> NDArray[np.bool_]:
    from pycocotools import mask as coco_mask

    polygons = isinstance(segmentation, list)
    if polygons or isinstance(segmentation["counts"], list):
        segmentation = coco_mask.frPyObjects(segmentation, height, width)
    lengths = coco_mask.merge(segmentation) if polygons else segmentation
    mask = np.asarray(coco_mask.decode(lengths), dtype=np.bool_)
    if mask.shape != (height, width):
        raise ValueError(f"run lengths of {mask.shape[1]} x {mask.shape[0]} pixels")
    return mask
