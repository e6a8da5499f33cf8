"""Whose sets convince whom."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mps_study.common.searches import OWN
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.trust import rows_of, why_not
from mps_study.report.figures.style import DOUBLE_COLUMN, INK, in_study_look

DARK = 0.55  # a share from which a number is written in white
MOST_NUMBERS = 20  # models up to which a cell has room for its number


@in_study_look
def draw_cross(results: StudyResults) -> Figure:
    """A matrix of shares, alike models together."""
    rows = rows_of(results, "cross", search=OWN)
    rows = rows[rows["share"] == rows["share"].min()] if len(rows) else rows
    gives = rows[rows["measure"] == "gives the owner's class"] if len(rows) else rows
    if gives.empty:
        raise NothingToShow(f"Models were not asked about each other's sets: {why_not(results, 'cross')}.")
    places = rows[rows["measure"] == "place among alike models"].sort_values("value")
    models = list(dict.fromkeys(places["model"]))
    shares = gives.pivot(index="model", columns="other", values="value").reindex(index=models, columns=models)
    values = shares.to_numpy(dtype=float)
    side = min(0.75 * DOUBLE_COLUMN, 1.6 + 0.55 * len(models))
    figure = Figure(figsize=(min(DOUBLE_COLUMN, side + 1.6), side), layout="constrained")
    axes = figure.add_subplot()
    shown = axes.imshow(np.ma.masked_invalid(100 * values), cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(models)), models, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(models)), models)
    axes.set(xlabel="asked model", ylabel="sets of")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for row, column in np.argwhere(np.isfinite(values)) if len(models) <= MOST_NUMBERS else ():
        value = values[row, column]
        axes.text(
            column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7,
            color="white" if value > DARK else INK,
        )  # fmt: skip
    figure.colorbar(shown, ax=axes, shrink=0.8, label="sets that give their class (%)")
    return figure
