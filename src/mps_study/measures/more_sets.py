"""Sets beside the first of an image and model: at other confidence floors, and further ones of the same image."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

COLUMNS = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "half": "string",
    "kind": "string",
    "order": "Int64",
    "share": "float64",
    "floor": "float64",
    "pixels": "Int64",
    "area": "float64",
    "confidence": "float64",
    "certified": "boolean",
    "missing": "string",
}

READ = ("image", "model", "floors", "further")
"""Columns of the record store that the sets are made of."""

NONE_PASSED, SPENT = "no set passed", "the budget was spent"
"""Why a floor has no set: `missing`, empty for sets that are there."""


def measure_more_sets(
    records: pd.DataFrame, areas: pd.DataFrame, share: float = 0.0, confidence_floor: float = 0.0
) -> pd.DataFrame:
    """The `more_sets` frame (docs/architecture.md) of one search: the first sets of `areas`, then what else was
    found, by image.

    Args:
        records: the columns `READ` of the record store; `floors` and `further` are JSON.
        areas: the `areas` frame of the search; only its rows with status `found` have more sets.
        share: of the original confidence, that was demanded of the first sets.
        confidence_floor: that was demanded of all sets.

    `certified` says whether a set was shown to be minimal as it was found. The first set counts as order 1 of kind
    `further`, and as one of kind `floor`. A floor at which no set passed, or before which the budget was spent, keeps
    its row, with NaN area, and `missing` says which it is.
    """
    found = areas[areas["status"] == "found"]
    facts = {(row["image"], row["model"]): row for row in found.to_dict("records")}
    rows: list[dict[Any, Any]] = []
    for record in records.to_dict("records"):
        first = facts.get((record["image"], record["model"]))
        floors, further = _sets(record["floors"]), _sets(record["further"])
        if first is None or not (floors or further):
            continue
        own = {name: first[name] for name in ("image", "model", "architecture", "search", "half")}
        size = int(first["height"]) * int(first["width"])
        alone = {"pixels": int(first["pixels"]), "confidence": first["confidence"]}
        alone["certificate"] = first.get("certified")
        sets: list[dict[str, Any]] = []
        if floors:
            demanded = max(share * first["target_confidence"], confidence_floor)
            sets += [{"kind": "floor"} | at for at in ({"share": share, "floor": demanded} | alone, *floors)]
        if further:
            sets += [{"kind": "further", "order": i} | at for i, at in enumerate((alone, *further), start=1)]
        rows += [own | one | _area(one, size) for one in sets]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _area(one: dict[str, Any], size: int) -> dict[str, Any]:
    """Area of a set, or why there is none."""
    if one["pixels"] is not None:
        proven = one.get("certificate")
        return {"area": one["pixels"] / size, "certified": False if pd.isna(proven) else bool(proven), "missing": ""}
    return {"area": None, "missing": NONE_PASSED if one.get("asked", True) else SPENT}


def _sets(column: object) -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = json.loads(column) if isinstance(column, str) else []
    return sets
