"""How small the sets of each search are by so many evaluations, had it been ended there."""

from __future__ import annotations

import math
from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mps_study.common.searches import OWN
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.figures.style import DOUBLE_COLUMN, FAINT_INK, GRID, architecture_colours, in_study_look

COLUMNS = 4
PANEL_HEIGHT = 1.25  # inches
QUARTILES = (0.25, 0.75)


@in_study_look
def draw_anytime(results: StudyResults) -> Figure:
    """A panel a search of the first model: mean and quartiles over images, the means of the others faint behind."""
    model = results.models()[0]
    curves = curves_of(results, model)
    names = [name for name in compared(results).names() if name in curves]
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(DOUBLE_COLUMN, rows * PANEL_HEIGHT + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    colour = architecture_colours(results.architectures())[results.architecture_of(model)]
    for letter, axes, name in zip(ascii_lowercase, panels, names, strict=False):
        for other in names:
            axes.plot(curves[other]["evaluations"], 100 * curves[other]["mean"], color=GRID, linewidth=0.8, zorder=1)
        draw_curve(axes, curves[name], colour)
        axes.set_title(f"{letter}  {'own search' if name == OWN else name}", fontsize=7.5)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for place, axes in enumerate(panels[: len(names)]):
        axes.tick_params(labelbottom=place + columns >= len(names))
    set_axes(panels[0], len(results.models()) > 1, model)
    figure.supxlabel("evaluations, those of the map included", fontsize=8)
    figure.supylabel("area of the smallest set (%)", fontsize=8)
    return figure


def curves_of(results: StudyResults, model: str) -> dict[str, pd.DataFrame]:
    """Search -> its curve: `evaluations` (those that its map took come first), `mean`, `low`, `high` of the area.

    Until a smaller one was verified the whole image is the set.

    Raises:
        NothingToShow: no search of the model was asked for it.
    """
    frame = compared(results).anytime
    mine = frame[frame["model"] == model]
    if mine.empty:
        raise NothingToShow(f"No search of {model} was asked how small its sets were by when (`search.anytime`).")
    summary = compared(results).summary.query("model == @model")
    before = dict(zip(summary["search"], summary["map_evaluations"].astype(float), strict=True))
    curves = {}
    for search, rows in mine.assign(area=mine["area"].fillna(1.0)).groupby("search", sort=False):
        areas = rows.groupby("evaluations")["area"]
        low, high = (areas.quantile(share) for share in QUARTILES)
        curve = pd.DataFrame({"mean": areas.mean(), "low": low, "high": high}).reset_index()
        curves[str(search)] = curve.assign(evaluations=curve["evaluations"].astype(float) + before[str(search)])
    return curves


def draw_curve(axes: Axes, curve: pd.DataFrame, colour: str) -> None:
    """One search: its mean, and the middle half of the images."""
    low, high = 100 * curve["low"], 100 * curve["high"]
    axes.fill_between(curve["evaluations"], low, high, color=colour, alpha=0.2, linewidth=0, zorder=2)
    axes.plot(curve["evaluations"], 100 * curve["mean"], color=colour, linewidth=1.5, zorder=3)
    axes.grid()


def set_axes(axes: Axes, several: bool, model: str) -> None:
    """Both logarithmic, for all panels; the model's name where the study has others."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1,)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.set_minor_formatter(NullFormatter())
    if several:
        axes.annotate(model, (0.04, 0.06), xycoords="axes fraction", fontsize=6.5, color=FAINT_INK)
