"""Figures of MPS areas by model: the paper's Figure 3, and correct against incorrect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from mps_study.report.facts import findings, selection
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.wording import number
from mps_study.report.figures.style import (
    DOUBLE_COLUMN,
    FAINT_INK,
    INK,
    architecture_colours,
    in_study_look,
)

ENOUGH_FOR_A_VIOLIN = 30  # below this a density is a guess, and the points say more
ENOUGH_FOR_QUARTILES = 5
FEW_POINTS = 60
TOO_MANY_POINTS = 250
LOG_FROM_RATIO = 10  # a logarithmic axis when the bulk of the areas spans more than this

Areas = NDArray[np.float64]  # (n,), per cent of the input's pixels


@in_study_look
def draw_sizes(results: StudyResults) -> Figure:
    """Every model's areas in a row: points, a violin when there are enough, quartiles, median."""
    areas = in_per_cent(results)
    if areas.empty:
        raise NothingToShow("No model found an MPS on any image.")
    figure, axes = rows_by_model(results, "n")
    logarithmic = set_scale(axes, areas["per_cent"].to_numpy())
    few = few_points(areas)
    for y, model, colour in model_rows(results):
        values = areas.loc[areas["model"] == model, "per_cent"].to_numpy()
        if len(values) >= ENOUGH_FOR_A_VIOLIN:
            violin(axes, values, y, colour, logarithmic)
        if len(values) <= TOO_MANY_POINTS:
            points(axes, values, y, 0.5, few, facecolor=colour, edgecolor="none")
        median_and_quartiles(axes, values, y)
        row_note(axes, y, str(len(values)))
    colours = architecture_colours(results.architectures())
    keys = [dot(colours[name], colours[name], name) for name in results.architectures()]
    keys.append(Line2D([], [], color=INK, lw=2.2, marker="o", mfc="white", ms=4.5,
                       label="median, middle half"))  # fmt: skip
    finish(figure, axes, keys, findings.size_test_line(results))
    return figure


@in_study_look
def draw_correctness(results: StudyResults) -> Figure:
    """Each model's areas where it was right (filled) over those where it was wrong (hollow)."""
    areas = in_per_cent(results).dropna(subset=["correct"])
    wrong = ~areas["correct"].astype(bool)
    if not wrong.any():
        raise NothingToShow("No labelled image was classified wrongly with an MPS, so there is nothing to compare.")
    figure, axes = rows_by_model(results, "n right\nn wrong")
    set_scale(axes, areas["per_cent"].to_numpy())
    few = few_points(areas)
    for y, model, colour in model_rows(results):
        mine = areas["model"] == model
        right_values = areas.loc[mine & ~wrong, "per_cent"].to_numpy()
        wrong_values = areas.loc[mine & wrong, "per_cent"].to_numpy()
        points(axes, right_values, y - 0.2, 0.24, few, facecolor=colour, edgecolor="none")
        points(axes, wrong_values, y + 0.2, 0.24, few, facecolor="none", edgecolor=colour)
        mean_and_interval(axes, results, model, "area_correct", y - 0.2, filled=True)
        mean_and_interval(axes, results, model, "area_incorrect", y + 0.2, filled=False)
        row_note(axes, y, f"{len(right_values)}\n{len(wrong_values)}")
    keys = [
        dot(FAINT_INK, "none", "right, one image"),
        dot("none", FAINT_INK, "wrong, one image"),
        Line2D([], [], color=INK, lw=1.2, marker="D", ms=4.5, label="mean, right; 95% interval"),
        Line2D([], [], color=INK, lw=1.2, marker="D", mfc="white", ms=4.5,
               label="mean, wrong; 95% interval"),
    ]  # fmt: skip
    finish(figure, axes, keys, findings.correctness_test_line(results))
    return figure


def in_per_cent(results: StudyResults) -> pd.DataFrame:
    """The rows that have an MPS, with `per_cent` of the input's pixels."""
    found = selection.found_areas(results)
    return found.assign(per_cent=100 * found["area"].astype(float))


def model_rows(results: StudyResults) -> Iterator[tuple[float, str, str]]:
    """(y, model, colour) from top to bottom, with a gap between two architectures."""
    colours = architecture_colours(results.architectures())
    y, before = -1.0, ""
    for model in results.models():
        architecture = results.architecture_of(model)
        y += 1.0 if architecture == before or not before else 1.4
        before = architecture
        yield y, model, colours[architecture]


def rows_by_model(results: StudyResults, note: str) -> tuple[Figure, Axes]:
    """An empty figure with one row a model and a heading over the notes at the right."""
    rows = list(model_rows(results))
    last = rows[-1][0]
    figure = Figure(figsize=(DOUBLE_COLUMN, 1.15 + 0.3 * (last + 1)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks([y for y, _, _ in rows], [model for _, model, _ in rows])
    axes.set_ylim(last + 0.6, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel("MPS area (% of the input's pixels)")
    axes.text(1.01, 1.0, note, transform=axes.transAxes, va="bottom", fontsize=7, color=FAINT_INK)
    return figure, axes


def set_scale(axes: Axes, values: Areas) -> bool:
    """A logarithmic axis when the areas span more than a decade, else from zero."""
    low, high = np.quantile(values, [0.02, 0.98])
    logarithmic = bool(low > 0 and high / low > LOG_FROM_RATIO)
    if logarithmic:
        axes.set_xscale("log")
        start = values[values >= low / LOG_FROM_RATIO].min()  # one stray dot must not squeeze the others
        axes.set_xlim(start / 1.2, values.max() * 1.2)
        decades = np.log10(values.max() / start)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 4.5 else (1,)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(0, values.max() * 1.05)
    return logarithmic


def spread(n: int) -> Areas:
    """`n` offsets in (-0.5, 0.5) that do not clump: steps of the golden ratio."""
    return np.arange(n, dtype=np.float64) * 0.6180339887 % 1 - 0.5


def points(axes: Axes, values: Areas, y: float, height: float, few: bool, **face: Any) -> None:
    """One dot an image, spread over `height` so that they hardly cover each other.

    Values left of the axis stand at its edge as an arrow with their number.
    """
    start = axes.get_xlim()[0]
    x, heights = np.sort(values), y + height * spread(len(values))
    inside = x >= start
    axes.scatter(
        x[inside], heights[inside], s=11 if few else 4,
        alpha=0.75 if few else 0.4, linewidths=0.7, zorder=2, **face,
    )  # fmt: skip
    for value in x[~inside]:
        axes.annotate(
            f"◂ {number(value, 2)}", (0.005, y), xycoords=axes.get_yaxis_transform(), va="center", fontsize=6.5,
            color=FAINT_INK,
        )  # fmt: skip


def few_points(areas: pd.DataFrame) -> bool:
    """Whether every row has room for large dots; one size in the whole figure."""
    return bool(areas["model"].value_counts().max() <= FEW_POINTS)


def violin(axes: Axes, values: Areas, y: float, colour: str, logarithmic: bool) -> None:
    """The density of the areas: Gaussian kernel, Scott's bandwidth, on the scale of the axis."""
    data = np.log10(values[values > 0]) if logarithmic else values
    width = max(data.std(ddof=1) * len(data) ** -0.2, 1e-9)
    grid = np.linspace(data.min(), data.max(), 160)
    density = np.exp(-0.5 * ((grid[:, None] - data) / width) ** 2).sum(axis=1)
    half = 0.4 * density / density.max()
    x = 10**grid if logarithmic else grid
    axes.fill_between(x, y - half, y + half, color=colour, alpha=0.4, linewidth=0, zorder=1)


def median_and_quartiles(axes: Axes, values: Areas, y: float) -> None:
    """A white dot at the median on a bar over the middle half of the areas."""
    if len(values) == 0:
        return
    if len(values) >= ENOUGH_FOR_QUARTILES:
        low, high = np.quantile(values, [0.25, 0.75])
        axes.plot([low, high], [y, y], color=INK, linewidth=1.8, solid_capstyle="butt", zorder=3)
    axes.plot(np.median(values), y, "o", mfc="white", mec=INK, mew=0.9, ms=4.5, zorder=4)


def mean_and_interval(axes: Axes, results: StudyResults, model: str, column: str, y: float, *, filled: bool) -> None:
    """The mean of `model_summary` with its bootstrap interval; nothing when it is missing."""
    row = results.model_summary[results.model_summary["model"] == model].iloc[0]
    mean, low, high = (100 * float(row[c]) for c in (column, f"{column}_low", f"{column}_high"))
    if np.isnan(mean):
        return
    axes.plot([low, high], [y, y], color=INK, linewidth=1.2, zorder=3)
    axes.plot(mean, y, "D", mfc=INK if filled else "white", mec=INK, mew=0.9, ms=4, zorder=4)


def row_note(axes: Axes, y: float, text: str) -> None:
    """A small count at the right of a row."""
    axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7,
              color=FAINT_INK)  # fmt: skip


def dot(face: str, edge: str, label: str) -> Line2D:
    """A legend key that looks like one image's point."""
    return Line2D([], [], linestyle="", marker="o", mfc=face, mec=edge, ms=4.5, label=label)


def finish(figure: Figure, axes: Axes, keys: list[Line2D], title: str) -> None:
    """The test above, the legend below, neither over the data."""
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=7.5)
    figure.legend(handles=keys, loc="outside lower center", ncols=min(len(keys), 6),
                  columnspacing=1.2, handletextpad=0.4)  # fmt: skip
