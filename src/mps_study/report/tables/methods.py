"""Ways to a set, one beside another: what their sets are like at each floor, and what they cost."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from mps_study.common.floors import demanded, sets_at_floors
from mps_study.common.searches import OWN
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.facts.trust import KEPT, rows_of

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
    "random": "Survive random backgrounds",
    "random_low": "Survive random backgrounds, low",
    "random_high": "Survive random backgrounds, high",
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


OF_PROBES = {"random": "value", "random_low": "low", "random_high": "high"}
"""Columns of the `trust` frame on random backgrounds; a study that did not ask shows none of them."""


def table_of_methods(results: StudyResults) -> pd.DataFrame:
    """One row a model, floor and search: a model's floors one below the other, in each the study's own search first."""
    sets = model_by_model(results)
    rows = []
    for key, of_floor in sets.groupby(["model", "share"], sort=False):
        model, share = cast(tuple[str, float], key)
        own = areas_of(of_floor, OWN)
        for search in compared(results).names():
            group = of_floor[of_floor["search"] == search]
            if len(group):
                rows.append(row_of(results, model, search, share, group, own))
    table = pd.DataFrame(rows, columns=list(HEADINGS))
    shown = table.drop(columns=list(OF_PROBES)) if table[list(OF_PROBES)].isna().all(axis=None) else table
    return shown.rename(columns=HEADINGS)


def row_of(
    results: StudyResults, model: str, search: str, share: float, group: pd.DataFrame, own: pd.Series
) -> dict[str, Any]:
    """What is said of one search of one model at one floor; `own` are the areas of the study's own search there."""
    areas, there = areas_of(group, search), group["area"].notna()
    both = areas.index.intersection(own.index)
    searched = compared(results).areas.query("model == @model and search == @search")
    (summary,) = compared(results).summary.query("model == @model and search == @search").to_dict("records")
    first = share == searched["share"].iloc[0]
    probed = rows_of(results, "survival", measure=KEPT, model=model, search=search, condition="random_backgrounds")
    return {
        "architecture": results.architecture_of(model),
        "model": model,
        "search": search,
        "demanded": demanded(share),
        "n": len(areas),
        "without": len(searched) - len(areas),
        "area": areas.mean(),
        "median": areas.median(),
        "share": areas[both].sum() / own[both].sum() if len(both) else np.nan,
        "certified": group.loc[there, "certified"].astype("float64").mean(),
        "confidence": group.loc[there, "confidence"].mean(),
        **{name: summary[name] if first else np.nan for name in OF_A_SEARCH},
        **{name: probed[end].iloc[0] if first and len(probed) else np.nan for name, end in OF_PROBES.items()},
    }


def model_by_model(results: StudyResults) -> pd.DataFrame:
    """The sets of all searches at all floors, model by model, a model's floors one below the other."""
    searches = compared(results)
    order = {model: place for place, model in enumerate(results.models())}
    sets = sets_at_floors(searches.areas, searches.more_sets)
    return sets.assign(_order=sets["model"].map(order)).sort_values(["_order", "share"], kind="stable")


def areas_of(sets: pd.DataFrame, search: str) -> pd.Series:
    """Image -> area of the sets that a search found."""
    own = sets[sets["search"] == search]
    areas: pd.Series = own.set_index("image")["area"].dropna()
    return areas
