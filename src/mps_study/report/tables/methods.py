"""Ways to a set, one beside another: what their sets are like at each floor, and what they cost."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from mps_study.common.searches import OWN
from mps_study.mps.types import FOUND
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.searches import compared

HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "search": "Search",
    "demanded": "Set",
    "n": "n",
    "without": "Without a set",
    "area": "Area",
    "median": "Area, median",
    "share": "Share of the own search's area",
    "certified": "1-minimal as found",
    "confidence": "Confidence, set alone",
    "dilation_survival": "Survive dilation",
    "insertion_area": "Insertion",
    "deletion_area": "Deletion",
    "evaluations": "Evaluations an image",
    "map_evaluations": "Evaluations for the map",
    "map_gradients": "Gradients for the map",
}

OF_A_SEARCH = (
    "dilation_survival", "insertion_area", "deletion_area", "evaluations", "map_evaluations", "map_gradients",
)  # fmt: skip
"""What is said once a search, in the row of its first sets: it is of these alone, or of all floors together."""


def table_of_methods(results: StudyResults) -> pd.DataFrame:
    """One row a model, floor and search: a model's floors one below the other, in each the study's own search first."""
    sets = sets_at_floors(results)
    rows = []
    for key, of_floor in sets.groupby(["model", "share"], sort=False):
        model, share = cast(tuple[str, float], key)
        own = areas_of(of_floor, OWN)
        for search in compared(results).names():
            group = of_floor[of_floor["search"] == search]
            if len(group):
                rows.append(row_of(results, model, search, share, group, own))
    return pd.DataFrame(rows, columns=list(HEADINGS)).rename(columns=HEADINGS)


def row_of(
    results: StudyResults, model: str, search: str, share: float, group: pd.DataFrame, own: pd.Series
) -> dict[str, Any]:
    """What is said of one search of one model at one floor; `own` are the areas of the study's own search there."""
    areas, there = areas_of(group, search), group["area"].notna()
    both = areas.index.intersection(own.index)
    searched = compared(results).areas.query("model == @model and search == @search")
    (summary,) = compared(results).summary.query("model == @model and search == @search").to_dict("records")
    first = share == searched["share"].iloc[0]
    return {
        "architecture": results.architecture_of(model),
        "model": model,
        "search": search,
        "demanded": "the class alone" if share == 0 else f"{share:g} of the confidence",
        "n": len(areas),
        "without": len(searched) - len(areas),
        "area": areas.mean(),
        "median": areas.median(),
        "share": areas[both].sum() / own[both].sum() if len(both) else np.nan,
        "certified": group.loc[there, "certified"].astype("float64").mean(),
        "confidence": group.loc[there, "confidence"].mean(),
    } | {name: summary[name] if first else np.nan for name in OF_A_SEARCH}


def sets_at_floors(results: StudyResults) -> pd.DataFrame:
    """One row an image, model, search and floor: `share`, `area` (NaN without a set), `confidence`, `certified`."""
    searches, keys = compared(results), ["image", "model", "search"]
    columns = [*keys, "share", "area", "confidence", "certified"]
    floors = searches.more_sets.query("kind == 'floor'")[columns]
    there = pd.MultiIndex.from_frame(floors[keys])
    first = searches.areas[~pd.MultiIndex.from_frame(searches.areas[keys]).isin(there)]
    first = first.assign(area=first["area"].where(first["status"] == FOUND))[columns]
    order = {model: place for place, model in enumerate(results.models())}
    found = pd.concat([floors, first], ignore_index=True) if len(floors) else first
    return found.assign(_order=found["model"].map(order)).sort_values(["_order", "share"], kind="stable")[columns]


def areas_of(sets: pd.DataFrame, search: str) -> pd.Series:
    """Image -> area of the sets that a search found."""
    own = sets[sets["search"] == search]
    areas: pd.Series = own.set_index("image")["area"].dropna()
    return areas
