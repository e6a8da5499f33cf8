"""Sets in the form of COCO's annotations, with run lengths that pycocotools reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.types import MpsRecord


def coco_image(number: int, name: str, width: int, height: int) -> dict[str, Any]:
    """An entry of `images`."""
    return {"id": number, "file_name": name, "width": width, "height": height}


def found_annotation(number: int, image: int, record: MpsRecord, mask: NDArray[np.bool_]) -> dict[str, Any]:
    """An entry of `annotations`: mask (h, w) bool, class, confidence of the set alone as `score`.

    Raises:
        ValueError: pycocotools is not installed.
    """
    try:
        from pycocotools import mask as coco_mask
    except ModuleNotFoundError:
        raise ValueError(
            "COCO's run lengths need pycocotools, which is not installed; `pip install pycocotools`"
        ) from None
    lengths = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "id": number,
        "image_id": image,
        "category_id": record.target.label,
        "segmentation": {"size": [int(side) for side in lengths["size"]], "counts": lengths["counts"].decode("ascii")},
        "area": int(mask.sum()),
        "bbox": [float(side) for side in coco_mask.toBbox(lengths)],
        "iscrowd": 0,
        "score": float(record.confidence),
    }


def categories(labels: Iterable[int], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Entries of `categories`: the class index is the id."""
    return [{"id": label, "name": names.get(label, f"class {label}")} for label in labels]
