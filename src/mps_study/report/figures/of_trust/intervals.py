"""Numbers with their intervals, a row each."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mps_study.common.searches import OWN
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.trust import ALL, condition_order, rows_of, why_not, words
from mps_study.report.figures.style import (
    DOUBLE_COLUMN,
    FAINT_INK,
    INK,
    architecture_colours,
    in_study_look,
    model_colours,
)

ROW = 0.27  # inches
FEW_MODELS = 6  # so many have a point each in every row; of more, architectures have


@in_study_look
def draw_survival(results: StudyResults) -> Figure:
    """A row a condition, a point a model, or the mean of an architecture's models where there are many."""
    rows = rows_of(results, "survival", measure="share that keep the class", search=OWN)
    if rows.empty:
        raise NothingToShow(f"No set was asked about under another condition: {why_not(results, 'survival')}.")
    conditions = [name for name in condition_order(results) if name in set(rows["condition"])]
    rows = rows.assign(who=rows["model"], value=100 * rows["value"], low=100 * rows["low"], high=100 * rows["high"])
    colours: Mapping[str, str] = model_colours({name: results.architecture_of(name) for name in results.models()})
    if len(results.models()) > FEW_MODELS:
        rows["who"] = rows["model"].map(results.architecture_of)
        means = rows.groupby(["condition", "who"], sort=False)["value"].mean()
        rows = means.reset_index().assign(low=float("nan"), high=float("nan"))
        colours = architecture_colours(results.architectures())
    whos = list(dict.fromkeys(rows["who"]))
    figure, axes = _axes(len(conditions), "sets that keep their class (%)")
    axes.set_xlim(-2, 102)
    for y, condition in enumerate(conditions):
        for place, who in enumerate(whos):
            offset = 0.5 * (place / (len(whos) - 1) - 0.5) if len(whos) > 1 else 0.0
            mine = rows[(rows["condition"] == condition) & (rows["who"] == who)]
            _points(axes, mine, y + offset, colours[who])
    axes.set_yticks(range(len(conditions)), [words(name) for name in conditions])
    keys = [Line2D([], [], ls="", marker="o", mfc=colours[who], mec="white", ms=5.5, label=who) for who in whos]
    figure.legend(handles=keys, loc="outside lower center", ncols=4, handletextpad=0.3)
    return figure


@in_study_look
def draw_monitor(results: StudyResults) -> Figure:
    """A row a score: AUROC of failures, of all models together or of the only one."""
    rows = rows_of(results, "failures", measure="AUROC of failures")
    if rows.empty:
        raise NothingToShow(f"Nothing can be said of failures: {why_not(results, 'failures')}.")
    model = ALL if ALL in set(rows["model"]) else rows["model"].iloc[0]
    rows = rows[rows["model"] == model].sort_values("value")
    figure, axes = _axes(len(rows), f"AUROC of failures, {model}")
    axes.axvline(0.5, color=FAINT_INK, linewidth=0.8)
    for y, (_, row) in enumerate(rows.iterrows()):
        _points(axes, row.to_frame().T, y, INK)
    axes.set_yticks(range(len(rows)), rows["condition"])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    return figure


@in_study_look
def draw_confidence_and_size(results: StudyResults) -> Figure:
    """A row a model: both correlations of area."""
    rows = rows_of(results, "confidence_and_size", search=OWN)
    rows = rows[rows["share"] == rows["share"].min()] if len(rows) else rows
    if rows.empty:
        raise NothingToShow(f"No correlation can be told: {why_not(results, 'confidence_and_size')}.")
    models = list(dict.fromkeys(rows["model"]))
    colours = model_colours({name: results.architecture_of(name) for name in results.models()}) | {ALL: INK}
    figure, axes = _axes(len(models), "rank correlation with the area of the set")
    axes.axvline(0, color=FAINT_INK, linewidth=0.8)
    axes.set_xlim(-1.03, 1.03)
    measures = ("area and confidence of the set", "area and confidence of the whole image")
    for y, model in enumerate(models):
        for offset, measure, filled in zip((-0.16, 0.16), measures, (True, False), strict=True):
            mine = rows[(rows["model"] == model) & (rows["measure"] == measure)]
            _points(axes, mine, y + offset, colours[model], filled)
    axes.set_yticks(range(len(models)), models)
    keys = [
        Line2D([], [], ls="", marker="o", mfc=FAINT_INK if filled else "white", mec=FAINT_INK, ms=5.5, label=label)
        for filled, label in ((True, "confidence of the set"), (False, "confidence of the whole image"))
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=2, handletextpad=0.3)
    return figure


def _axes(rows: int, label: str) -> tuple[Figure, Axes]:
    """The first row at the top."""
    figure = Figure(figsize=(DOUBLE_COLUMN, 0.9 + ROW * max(3, rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(label)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    return figure, axes


def _points(axes: Axes, rows: pd.DataFrame, y: float, colour: str, filled: bool = True) -> None:
    for row in rows.to_dict("records"):
        if not pd.isna(row["low"]):
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.1, zorder=2)
        edge, face = ("white", colour) if filled else (colour, "white")
        axes.plot(row["value"], y, "o", mfc=face, mec=edge, mew=0.8, ms=5.5, zorder=3)
