"""Searches of a study: what their sets cover, against what they cost."""

from __future__ import annotations

from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mps_study.common.searches import OWN
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.figures.areas import LOG_FROM_RATIO, dot
from mps_study.report.figures.style import DOUBLE_COLUMN, FAINT_INK, GRID, INK, architecture_colours, in_study_look

MARKERS = "osD^vP*X"
FEW_MODELS = 6  # so many have their names beside their points


@in_study_look
def draw_searches(results: StudyResults) -> Figure:
    """A point a model and search: mean area over mean evaluations, a line between the searches of a model."""
    searches = compared(results)
    summary = searches.summary.dropna(subset=["area"])
    summary = summary[summary["area"] > 0]
    if summary.empty:
        raise NothingToShow("No search found a set on any image.")
    figure = Figure(figsize=(DOUBLE_COLUMN, 0.5 * DOUBLE_COLUMN), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel="evaluations an image", ylabel="MPS area (% of the input's pixels)")
    axes.margins(0.08, 0.1)
    colours = architecture_colours(results.architectures())
    markers = dict(zip(searches.names(), cycle(MARKERS), strict=False))
    for model in results.models():
        draw_model(axes, summary[summary["model"] == model], colours[results.architecture_of(model)], markers)
        if len(results.models()) <= FEW_MODELS:
            name_points(axes, summary[summary["model"] == model], model)
    set_scales(axes, summary)
    axes.grid()
    keys = [Line2D([], [], ls="", marker=mark, mfc=FAINT_INK, mec="none", ms=5.5, label=name)
            for name, mark in markers.items()]  # fmt: skip
    keys += [dot(colours[name], colours[name], name) for name in results.architectures()]
    figure.legend(handles=keys, loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.4)
    return figure


def set_scales(axes: Axes, summary: pd.DataFrame) -> None:
    """On each axis a logarithmic scale where the means span more than a decade, else one from zero."""
    x, y = (axes.xaxis, axes.set_xscale, axes.set_xlim), (axes.yaxis, axes.set_yscale, axes.set_ylim)
    for (axis, set_scale, set_limits), values in ((x, summary["evaluations"]), (y, summary["area"])):
        if values.max() > LOG_FROM_RATIO * values.min():
            set_scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_formatter(NullFormatter())
        else:
            set_limits(0, None)
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def draw_model(axes: Axes, rows: pd.DataFrame, colour: str, markers: dict[str, str]) -> None:
    """The searches of one model, each with the interval of its mean area."""
    axes.plot(rows["evaluations"], 100 * rows["area"], color=GRID, linewidth=1.2, zorder=1)
    for row in rows.to_dict("records"):
        x, low, high = row["evaluations"], row["area_low"], row["area_high"]
        axes.plot([x, x], [100 * low, 100 * high], color=colour, linewidth=1, zorder=2)
        axes.plot(x, 100 * row["area"], markers[row["search"]], mfc=colour, mec="white", mew=0.6, ms=6.5, zorder=3)


def name_points(axes: Axes, rows: pd.DataFrame, model: str) -> None:
    """The model's name beside its point of the study's own search."""
    for row in rows[rows["search"] == OWN].to_dict("records"):
        axes.annotate(
            model, (row["evaluations"], 100 * row["area"]), xytext=(6, 0), textcoords="offset points", va="center",
            fontsize=6.5, color=INK,
        )  # fmt: skip
