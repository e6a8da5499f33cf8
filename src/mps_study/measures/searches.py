"""Searches of the same models and images side by side: a summary of each, and how far their sets overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.searches import OWN
from mps_study.measures.summary import mean_interval, trust
from mps_study.mps.types import FOUND, STATUSES

Bits = NDArray[np.uint8]
"""A mask of a model's input, packed: eight pixels to a byte, the last filled up with zeros."""

FOUND_MEANS = ("certified", "insertion_area", "deletion_area")
COSTS = ("evaluations", "map_evaluations", "map_gradients")
"""Means of a search's summary, over the images on which it found a set, and over all."""

OVERLAP_COLUMNS = {
    "image": "string",
    "model": "string",
    "search_a": "string",
    "search_b": "string",
    "dice": "float64",
    "iou": "float64",
    "status": "string",
}


def summarise_searches(areas: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """The `search_summary` frame (docs/architecture.md): one row a search and model, in the order of `areas`.

    Means are over images with status `found`, those of `COSTS` over all; `area_low` and `area_high` are a 95 % BCa
    bootstrap interval. `area_share` is the summed area over that of the study's own search, on the images on which both
    found a set. A column for each status counts the images that ended so.

    Args:
        areas: the areas frame, all searches.
        resamples: of the bootstrap.
        seed: of the bootstrap; each interval draws from its own stream.
    """
    rows = []
    own = _own_areas(areas)
    for place, ((search, model), group) in enumerate(areas.groupby(["search", "model"], sort=False)):
        found = group[group["status"] == FOUND]
        values = found["area"].to_numpy(dtype=float)
        low, high = mean_interval(values, resamples, [seed, place])
        row: dict[str, Any] = {
            "search": search,
            "architecture": group["architecture"].iloc[0],
            "model": model,
            "n_not_found": len(group) - len(found),
            "area": float(values.mean()) if values.size else np.nan,
            "area_low": low,
            "area_high": high,
            "area_n": values.size,
            "area_median": float(np.median(values)) if values.size else np.nan,
            "area_share": _share_of(found.set_index("image")["area"], own.get(str(model))),
        }
        ended = group["status"].value_counts()
        counts = {status: int(ended.get(status, 0)) for status in STATUSES}
        rows.append(row | trust(found) | _means(found, FOUND_MEANS) | _means(group, COSTS) | counts)
    return pd.DataFrame(rows).convert_dtypes(convert_floating=False, convert_integer=False)


def _own_areas(areas: pd.DataFrame) -> dict[str, pd.Series]:
    """Model -> areas by image, of the sets that the study's own search found."""
    own = areas[(areas["search"] == OWN) & (areas["status"] == FOUND)]
    return {str(model): group.set_index("image")["area"] for model, group in own.groupby("model")}


def _share_of(values: pd.Series, own: pd.Series | None) -> float:
    """The summed area over that of the study's own search, on the images on which both found a set; NaN without any."""
    both = values.index.intersection(own.index) if own is not None else values.index[:0]
    return float(values[both].sum() / own[both].sum()) if own is not None and len(both) else float("nan")


def _means(group: pd.DataFrame, columns: Iterable[str]) -> dict[str, float]:
    """The mean of each column over the images that say it; NaN where none does, or there is no such column."""
    return {name: float(group[name].astype("float64").mean()) if name in group else float("nan") for name in columns}


def measure_search_overlaps(areas: pd.DataFrame, sets_of: Callable[[str, str], Mapping[str, Bits]]) -> pd.DataFrame:
    """The `search_overlaps` frame: one row an image, model and unordered pair of searches; empty with one search.

    Two searches of a model see the same input, so nothing is resampled. Status is `ok`, or, with NaN measures,
    `missing`: one of the two has no set on the image.

    Args:
        areas: the areas frame, all searches.
        sets_of: (model, fingerprint) -> image -> packed mask, for images with a set; asked model by model, so
            that no more than one model's sets are in memory.
    """
    frames = []
    for model, group in areas.groupby("model", sort=False):
        marks = dict(zip(group["search"], group["fingerprint"], strict=True))
        if len(marks) < 2:
            continue
        sets = {search: sets_of(str(model), mark) for search, mark in marks.items()}
        images = list(dict.fromkeys(group["image"]))
        frames += [
            pd.DataFrame(_compared(images, sets[a], sets[b])).assign(model=model, search_a=a, search_b=b)
            for a, b in combinations(marks, 2)
        ]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(OVERLAP_COLUMNS))
    return frame[list(OVERLAP_COLUMNS)].astype(OVERLAP_COLUMNS)


def _compared(images: Iterable[str], one: Mapping[str, Bits], other: Mapping[str, Bits]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for image in images:
        if image in one and image in other:
            rows.append({"image": image, "status": "ok"} | _measures(one[image], other[image]))
        else:
            rows.append({"image": image, "status": "missing", "dice": np.nan, "iou": np.nan})
    return rows


def _measures(a: Bits, b: Bits) -> dict[str, float]:
    """Dice and IoU in [0, 1]; 1 when both sets are empty."""
    common, either = int(np.bitwise_count(a & b).sum()), int(np.bitwise_count(a | b).sum())
    return {"dice": 2 * common / (common + either), "iou": common / either} if either else {"dice": 1.0, "iou": 1.0}
