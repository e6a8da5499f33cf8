"""How small the smallest set was after so many evaluations, from the record store to a tidy frame."""

from __future__ import annotations

import json

import pandas as pd

from mps_study.mps.anytime import Anytime

COLUMNS = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "half": "string",
    "evaluations": "Int64",
    "area": "float64",
    "finished": "boolean",
}

READ = ("image", "model", "anytime")
"""Columns of the record store that the frame is made of."""

AFTER = (50, 100, 200, 500, 1000, 2000, 5000)
"""Evaluations after which the area is told."""


def measure_anytime(records: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """The `anytime` frame (docs/architecture.md) of one search; empty unless it was asked (`search.anytime`).

    Args:
        records: the columns `READ` of the record store; `anytime` is JSON.
        areas: the `areas` frame of the search; only its rows with status `found` have a curve.

    A search that finished before keeps its last area, so that a mean over images is always over the same ones.
    """
    found = areas[areas["status"] == "found"]
    facts = {(row["image"], row["model"]): row for row in found.to_dict("records")}
    rows = []
    for record in records.to_dict("records"):
        own = facts.get((record["image"], record["model"]))
        if own is None or not isinstance(record["anytime"], str):
            continue
        stored = json.loads(record["anytime"])
        curve = Anytime(tuple(stored["shape"]), tuple(map(tuple, stored["steps"])), stored["checks"])
        rows += [
            {name: own[name] for name in ("image", "model", "architecture", "search", "half")}
            | {"evaluations": n, "area": curve.area_after(n), "finished": bool(own["evaluations"] <= n)}
            for n in AFTER
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
