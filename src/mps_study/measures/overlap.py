"""Position of minimal sufficient pixel sets: how alike are those of two models on the same image?

Two sets are compared where both models looked: on a grid of 224 x 224 cells over the part of the source image that
both saw. Dice and IoU count its cells. Distances are those of the source image: a cell is as high and as wide as the
piece of the source image that it covers, so that the same two regions lie equally far apart for every two models,
whether they squash the image or crop it. They are as fine as a cell and a pixel of the coarser mask: an image of
500 x 375 seen whole has cells of 2.2 x 1.7 source pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from mps_study.measures.distance import Mask, Placed, centroid_distance, hausdorff, place
from mps_study.measures.frame import GRID, View, cell_of, common_field, on_grid

FACTS = ("architecture", "target", "correct")
"""Columns of `areas` that a pair has of both its models."""
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
    "hausdorff_grid": "float64",
    "centroid_distance": "float64",
    "status": "string",
}
MEASURES = ("dice", "iou", "hausdorff", "hausdorff_grid", "centroid_distance")
NOTHING = (np.nan,) * len(MEASURES)


@dataclass(frozen=True)
class Seen:
    """A model's mask (h, w) bool and the part of the source image that it covers."""

    mask: Mask
    view: View


def measure_overlaps(
    areas: pd.DataFrame,
    manifest: pd.DataFrame,
    masks: Callable[[str], Mapping[str, Seen]],
    progress: Callable[[Iterator[Any]], Iterator[Any]] = iter,
) -> pd.DataFrame:
    """The `overlaps` frame (docs/architecture.md): one row an image and unordered pair of models.

    Args:
        areas: the areas frame; its order of images and models decides the order of rows.
        manifest: the sample, with the `width` and `height` of its images.
        masks: image -> model -> mask; models without a set are absent. Asked once an image, in the order of `areas`.
        progress: wraps the iteration over images.

    Status is `ok` when both sets have a pixel in the field that both models saw. `one empty`: one set lies wholly
    outside it; Dice and IoU are 0 and the distances infinite. Otherwise nothing can be compared and the measures are
    NaN: `both empty` (both sets lie outside), `no common field`, or `missing` (a model has no set on the image).
    """
    models = list(dict.fromkeys(areas["model"]))
    rows_of = areas.groupby("image", sort=False).indices
    pairs: list[tuple[int, int]] = []
    measured: list[tuple[float | str, ...]] = []
    for image in progress(iter(dict.fromkeys(areas["image"]))):
        row_of = dict(zip(areas["model"].iloc[rows_of[image]], rows_of[image], strict=True))
        names = [model for model in models if model in row_of]
        pairs += combinations([row_of[name] for name in names], 2)
        measured += compare_image(masks(str(image)), names)
    frame = pd.DataFrame(measured, columns=[*MEASURES, "status"])
    return _with_facts(frame, areas, manifest, np.array(pairs, dtype=np.intp).reshape(-1, 2))


def _with_facts(
    frame: pd.DataFrame, areas: pd.DataFrame, manifest: pd.DataFrame, pairs: np.ndarray[Any, np.dtype[np.intp]]
) -> pd.DataFrame:
    """The measures with what `areas` says of both models, and the distance as a share of the image's diagonal."""
    sides = {side: areas.iloc[rows] for side, rows in zip("ab", pairs.T, strict=True)}
    frame["image"], frame["half"] = (sides["a"][name].array for name in ("image", "half"))
    for side, rows in sides.items():
        frame[f"model_{side}"] = rows["model"].array
        for name in FACTS:
            frame[f"{name}_{side}"] = rows[name].array
    diagonals = dict(zip(manifest["image"], np.hypot(manifest["width"], manifest["height"]), strict=True))
    frame["hausdorff_ratio"] = frame["hausdorff"] / frame["image"].map(diagonals).astype("float64")
    return frame[list(COLUMNS)].astype(COLUMNS)


def compare_image(seen: Mapping[str, Seen], models: Sequence[str]) -> Iterator[tuple[float | str, ...]]:
    """`MEASURES` and status of every two models on one image, in the order of `combinations(models, 2)`."""
    placed: dict[tuple[str, View], Placed] = {}
    for pair in combinations(models, 2):
        if any(model not in seen for model in pair):
            yield *NOTHING, "missing"
            continue
        field = common_field(*(seen[model].view for model in pair))
        if field is None:
            yield *NOTHING, "no common field"
            continue
        for model in pair:
            if (model, field) not in placed:
                placed[model, field] = place(on_grid(seen[model].mask, seen[model].view, field))
        a, b = (placed[model, field] for model in pair)
        yield _compare(a, b, field)


def _compare(a: Placed, b: Placed, field: View) -> tuple[float | str, ...]:
    if not a.cells and not b.cells:
        return *NOTHING, "both empty"
    cell = cell_of(field)
    common = int(np.count_nonzero(a.mask & b.mask))
    return (
        2 * common / (a.cells + b.cells),
        common / (a.cells + b.cells - common),
        hausdorff(a, b, cell),
        hausdorff(a, b),
        centroid_distance(a, b, cell),
        "ok" if a.cells and b.cells else "one empty",
    )


__all__: Sequence[str] = ["GRID", "Seen", "compare_image", "measure_overlaps"]
