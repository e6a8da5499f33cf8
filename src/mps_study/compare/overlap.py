"""Position of minimal sufficient pixel sets: how alike are those of two models on the same image?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from mps_study.compare.frame import GRID, View, common_field, on_grid
from mps_study.mps.several import dice

COLUMNS = {
    "image": "string",
    "half": "string",
    "model_a": "string",
    "model_b": "string",
    "architecture_a": "string",
    "architecture_b": "string",
    "target_a": "Int64",
    "target_b": "Int64",
    "correct_a": "boolean",
    "correct_b": "boolean",
    "dice": "float64",
    "iou": "float64",
    "hausdorff": "float64",
    "hausdorff_ratio": "float64",
    "centroid_distance": "float64",
    "status": "string",
}

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Seen:
    """A model's mask (h, w) bool and the part of the source image that it covers."""

    mask: Mask
    view: View


@dataclass(frozen=True)
class _Placed:
    """A mask on the common grid, with what every comparison needs."""

    mask: Mask
    distance: NDArray[np.float64]
    centroid: NDArray[np.float64]


def measure_overlaps(
    areas: pd.DataFrame,
    masks: Callable[[str], Mapping[str, Seen]],
    progress: Callable[[Iterator[Any]], Iterator[Any]] = iter,
) -> pd.DataFrame:
    """The `overlaps` frame (docs/architecture.md): one row an image and unordered pair of models.

    Args:
        areas: the areas frame; its order of images and models decides the order of rows.
        masks: image -> model -> mask; models without a set are absent.
        progress: wraps the iteration over images.

    Status is `ok` when both sets have a pixel in the field that both models saw. `one empty`: one set lies wholly
    outside it; Dice and IoU are 0 and the distances infinite. Otherwise nothing can be compared and the measures are
    NaN: `both empty` (both sets lie outside), `no common field`, or `missing` (a model has no set on the image).
    """
    models = list(dict.fromkeys(areas["model"]))
    rows: list[dict[str, Any]] = []
    for image, group in progress(iter(areas.groupby("image", sort=False))):
        facts = group.set_index("model").to_dict("index")
        seen = masks(str(image))
        placed: dict[tuple[str, View], _Placed] = {}
        for a, b in combinations([m for m in models if m in facts], 2):
            measures = _compare(seen, a, b, placed)
            rows.append({"image": image, **_pair_facts(a, b, facts), **measures})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _pair_facts(a: str, b: str, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "half": facts[a]["half"],
        "model_a": a,
        "model_b": b,
        **{
            f"{name}_{side}": facts[model][name]
            for name in ("architecture", "target", "correct")
            for side, model in (("a", a), ("b", b))
        },
    }


def _compare(seen: Mapping[str, Seen], a: str, b: str, placed: dict[tuple[str, View], _Placed]) -> dict[str, Any]:
    if a not in seen or b not in seen:
        return {"status": "missing"}
    field = common_field(seen[a].view, seen[b].view)
    if field is None:
        return {"status": "no common field"}
    pair = []
    for model in (a, b):
        if (model, field) not in placed:
            placed[model, field] = _place(on_grid(seen[model].mask, seen[model].view, field))
        pair.append(placed[model, field])
    empty = sum(not one.mask.any() for one in pair)
    if empty == 2:
        return {"status": "both empty"}
    return {**_measures(*pair), "status": "one empty" if empty else "ok"}


def _place(mask: Mask) -> _Placed:
    if not mask.any():
        return _Placed(mask, np.full(mask.shape, np.inf), np.full(2, np.nan))
    return _Placed(mask, distance_transform_edt(~mask), np.argwhere(mask).mean(axis=0))


def _measures(a: _Placed, b: _Placed) -> dict[str, float]:
    hausdorff = _hausdorff(a, b)
    return {
        "dice": dice(a.mask, b.mask),
        "iou": iou(a.mask, b.mask),
        "hausdorff": hausdorff,
        "hausdorff_ratio": hausdorff / float(np.hypot(*a.mask.shape)),
        "centroid_distance": _centroid_distance(a, b),
    }


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union in [0, 1]; 1 when both masks are empty, 0 when one is or they are disjoint."""
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0


def hausdorff(a: Mask, b: Mask) -> float:
    """Symmetric Hausdorff distance between pixel centres, in pixels.

    0 when both masks are empty, infinite when only one is. Uses the exact Euclidean distance transform.
    """
    return _hausdorff(_place(a), _place(b))


def _hausdorff(a: _Placed, b: _Placed) -> float:
    if not a.mask.any() or not b.mask.any():
        return _without_pixels(a, b)
    return float(max(a.distance[b.mask].max(), b.distance[a.mask].max()))


def centroid_distance(a: Mask, b: Mask) -> float:
    """Euclidean distance between the masks' mean pixels; 0 when both are empty, infinite when only one is."""
    return _centroid_distance(_place(a), _place(b))


def _centroid_distance(a: _Placed, b: _Placed) -> float:
    if not a.mask.any() or not b.mask.any():
        return _without_pixels(a, b)
    return float(np.linalg.norm(a.centroid - b.centroid))


def _without_pixels(a: _Placed, b: _Placed) -> float:
    """A distance of which at least one end is nowhere."""
    return 0.0 if a.mask.any() == b.mask.any() else float("inf")


__all__: Sequence[str] = ["GRID", "Seen", "centroid_distance", "dice", "hausdorff", "iou", "measure_overlaps"]
