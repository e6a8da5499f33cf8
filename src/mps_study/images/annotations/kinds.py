"""The kinds of annotations: each lists, by name, what it says of pictures, and reads it when it is asked for."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from mps_study.images.annotations.coco import coco
from mps_study.images.annotations.regions import Annotation, Region, of_mask
from mps_study.images.candidates import SourceError, as_id, image_files

Annotations = Mapping[str, Callable[[], Annotation]]
"""Name of a picture, with its folders as far as they are known -> what is said of it."""

MASKS = {".png", ".bmp", ".gif", ".tif", ".tiff"}
"""Kinds of files that keep a mask as it is: JPEG would make noise of it."""

COLUMNS = ("image", "left", "top", "right", "bottom")


def voc(path: str) -> Annotations:
    """A folder of XML files in the form of Pascal VOC, one a picture, such as ImageNet's `Annotations/CLS-LOC`.

    Its pixels count from 1, and `xmax`, `ymax` are the last ones inside.

    Raises:
        SourceError: no such folder, or no XML in it; and when one is read, that is none, or without its numbers.
    """
    return {name: partial(_xml, file) for name, file in _listed(path, {".xml"}, "XML files, one a picture").items()}


def _xml(file: Path) -> Annotation:
    try:
        root = ElementTree.fromstring(file.read_bytes())
        regions = [_object(each) for each in root.iter("object")]
        size = tuple(round(float(root.findtext(f"size/{side}") or 0)) for side in ("width", "height"))
    except (ElementTree.ParseError, OSError, ValueError) as error:
        raise SourceError(f"annotation {str(file)!r} cannot be read ({error}); mend or remove it") from error
    return Annotation(str(file), regions, (size[0], size[1]) if min(size) > 0 else None)


def _object(element: ElementTree.Element) -> Region:
    edges = {}
    for edge in ("xmin", "ymin", "xmax", "ymax"):
        text = element.findtext(f"bndbox/{edge}")
        if text is None:
            raise ValueError(f"an object without bndbox/{edge}")
        edges[edge] = float(text)
    name = (element.findtext("name") or "").strip() or None
    return Region(edges["xmin"] - 1, edges["ymin"] - 1, edges["xmax"], edges["ymax"], name)


def masks(path: str) -> Annotations:
    """A folder of pictures, one a picture of the source: what is not zero (black, the first colour) is the object.

    Raises:
        SourceError: no such folder, or none of `MASKS` in it; and when one is read, that cannot be.
    """
    what = f"masks ({', '.join(sorted(MASKS))}; JPEG would blur them)"
    return {name: partial(_mask, file) for name, file in _listed(path, MASKS, what).items()}


def _mask(file: Path) -> Annotation:
    try:
        with Image.open(file, formats=["PNG", "BMP", "GIF", "TIFF"]) as picture:
            bare = {"LA": "L", "PA": "P", "RGBA": "RGB", "La": "LA", "RGBa": "RGB"}.get(picture.mode)
            values = np.asarray(picture.convert(bare) if bare else picture) != 0
    except Exception as error:  # on broken bytes Pillow's readers raise whatever they stumble over
        why = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"mask {str(file)!r} cannot be read ({why}); replace or remove it") from error
    mask = values.any(axis=2) if values.ndim == 3 else values
    region = of_mask(mask)
    return Annotation(str(file), [region] if region else [], (mask.shape[1], mask.shape[0]))


def boxes(path: str) -> Annotations:
    """A CSV file of boxes: image, left, top, right, bottom, and, if need be, name; a row a box.

    An image whose one row has no numbers was looked at, and no object marked.

    Raises:
        SourceError: no such file, other columns, or what is no number.
    """
    file = _file(path, "CSV")
    found: dict[str, list[Region]] = {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = csv.DictReader(opened)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise SourceError(
                    f"{path}: expected the columns {', '.join(COLUMNS)}[, name]; it has no {missing[0]!r}"
                )
            for row in rows:
                edges = [(row[name] or "").strip() for name in COLUMNS[1:]]
                mine = found.setdefault(row["image"].strip(), [])
                if any(edges):
                    mine.append(_box(edges, row.get("name"), f"{path}, line {rows.line_num}"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read as CSV ({error}); save it as UTF-8") from error
    return {name: partial(Annotation, f"{path}, image {name}", regions) for name, regions in found.items()}


def _box(edges: list[str], name: str | None, where: str) -> Region:
    try:
        numbers = [float(edge) for edge in edges]
    except ValueError:
        numbers = []
    if not numbers or not all(map(math.isfinite, numbers)):
        raise SourceError(f"{where}: {', '.join(edges)} are no left, top, right, bottom; give four numbers, in pixels")
    return Region(numbers[0], numbers[1], numbers[2], numbers[3], (name or "").strip() or None)


def coco_file(path: str) -> Annotations:
    """A JSON file of COCO's form: boxes, or masks where it has them and pycocotools is installed (`coco.coco`)."""
    return coco(_file(path, "JSON"))


def _file(path: str, kind: str) -> Path:
    file = Path(path)
    if not file.is_file():
        raise SourceError(f"there is no {kind} file of annotations at {path}; give the path of one")
    return file


def _listed(path: str, suffixes: set[str], what: str) -> dict[str, Path]:
    root = Path(path)
    if not root.is_dir():
        raise SourceError(f"the folder of annotations {path} does not exist; give the path of a folder")
    found = {as_id(name.with_suffix("").as_posix()): file for name, file in image_files(root, suffixes)}
    if not found:
        raise SourceError(f"the folder of annotations {path} holds none: expected {what}")
    return found
