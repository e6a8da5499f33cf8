"""Sizes of minimal sufficient pixel sets: one row an image, model and search."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mps_study.common.searches import OWN

COLUMNS = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "fingerprint": "string",
    "half": "string",
    "label": "Int64",
    "target": "Int64",
    "kept": "Int64",
    "correct": "boolean",
    "status": "string",
    "reason": "string",
    "pixels": "Int64",
    "area": "float64",
    "height": "Int64",
    "width": "Int64",
    "confidence": "float64",
    "target_confidence": "float64",
    "dilation_survives": "boolean",
    "calls": "Int64",
    "evaluations": "Int64",
    "map_evaluations": "Int64",
    "map_gradients": "Int64",
    "certified": "boolean",
    "insertion_area": "float64",
    "deletion_area": "float64",
    "share": "float64",
}

READ = (
    "image", "model", "fingerprint", "status", "reason", "target", "target_confidence", "height", "width", "pixels",
    "confidence", "calls", "evaluations", "dilation_survives", "top", "map_evaluations", "map_gradients", "certificate",
    "insertion_area", "deletion_area",
)  # fmt: skip
"""Columns of the record store that the areas are made of."""

WITHOUT: dict[str, Any] = {
    "dilation_survives": pd.NA,
    "map_evaluations": 0,
    "map_gradients": 0,
    "certificate": None,
    "insertion_area": float("nan"),
    "deletion_area": float("nan"),
}
"""What records are taken to say that do not have a column."""


def measure_areas(
    records: pd.DataFrame, manifest: pd.DataFrame, architectures: dict[str, str], search: str = OWN, share: float = 0.0
) -> pd.DataFrame:
    """The `areas` frame (docs/architecture.md) of one search, in the order of the architectures' models, then of the
    manifest.

    Args:
        records: the columns `READ` of the record store, all models one below the other.
        manifest: the sample.
        architectures: model -> architecture.
        search: the name by which the study knows the search.
        share: of the original confidence, that it demanded of its sets.

    `area` is the set's pixels over the input's pixels, NaN without a set. `correct` is NA for unlabelled images
    and, like `target`, for images that could not be read.
    `target` is the model's top-1 on the whole image, `kept` the class that the set keeps: another one only where
    `search.target` asked for it, and what `confidence` and `target_confidence` are of.
    `dilation_survives` says whether the set grown by one pixel still has the class; NA without a set, and in all rows
    of records that were not asked. Records of images that are not in the manifest are left out.
    `evaluations` are the search's; `map_evaluations` and `map_gradients` what the map by which it ranks pixels took
    before. `certified`: the set was shown to be minimal as it was found; NA without a set.
    """
    if records.empty:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    absent = {name: value for name, value in WITHOUT.items() if name not in records}
    records = records.assign(**absent)
    facts = manifest[["image", "half", "label"]].assign(position=range(len(manifest)))
    frame = records.merge(facts, on="image", how="inner", validate="many_to_one")
    frame["search"], frame["share"] = search, share
    frame["architecture"] = frame["model"].map(architectures)
    frame["model_position"] = frame["model"].map({m: i for i, m in enumerate(architectures)})
    frame["area"] = frame["pixels"].astype("float64") / (
        frame["height"].astype("float64") * frame["width"].astype("float64")
    )
    frame["label"] = frame["label"].astype("Int64")
    kept = frame["target"].astype("Int64")
    frame["kept"] = kept.where(kept >= 0)  # an image that could not be read has no answer, right or wrong
    asked_for_another = frame["top"].astype("Int64") if "top" in frame else pd.Series(pd.NA, frame.index, dtype="Int64")
    frame["target"] = asked_for_another.fillna(frame["kept"])
    frame["correct"] = (frame["target"] == frame["label"]).astype("boolean")
    frame["certified"] = frame["certificate"].notna().astype("boolean").where(frame["pixels"].notna())
    frame = frame.sort_values(["model_position", "position"], kind="stable", ignore_index=True)
    return frame[list(COLUMNS)].astype(COLUMNS)
