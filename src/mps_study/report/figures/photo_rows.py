"""Figures that lay one image out by model: the paper's Figures 1, 4, 5 and 6."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mps_study.report.facts import selection
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import fixed, shorten
from mps_study.report.figures.photos import mps_panel, panel_title, show_photo
from mps_study.report.figures.style import DOUBLE_COLUMN, FAINT_INK, GRID, in_study_look

TITLE_INCHES = 0.7  # above each row of pictures, with the bar below
MATRIX_INCHES = 0.35  # what the matrix of overlaps needs more than a picture, when they share one row


@in_study_look
def draw_gallery(results: StudyResults) -> Figure:
    """One image through every compared model, and how much each two of the sets overlap."""
    choice = selection.choose(results, "gallery")
    figure = Figure(layout="constrained")
    pictures = len(choice.models) + 1
    columns = 3 if pictures == 3 or pictures > 4 else 2
    rows = math.ceil(pictures / columns)
    grid = figure.add_gridspec(rows, columns + 1, width_ratios=[1] * columns + [1.15])
    panels = [figure.add_subplot(grid[i // columns, i % columns]) for i in range(pictures)]
    fill_panels(panels, results, choice)
    if len(choice.models) > 1:
        overlap_grid(figure.add_subplot(grid[:, columns]), results, choice)
    set_height(figure, rows, columns + 1.15)
    if rows == 1:
        figure.set_figheight(figure.get_figheight() + MATRIX_INCHES)
    return figure


@in_study_look
def draw_largest_hausdorff(results: StudyResults) -> Figure:
    """The two MPSs that lie furthest apart."""
    choice = selection.choose(results, "largest_hausdorff")
    row = selection.overlap_of(results.overlaps, choice.image, *choice.models)
    assert row is not None  # the rule chose it
    apart = f"Hausdorff {fixed(row['hausdorff'], 1)} px, Dice {fixed(row['dice'], 2)}"
    return lay_out(results, choice, apart)


@in_study_look
def draw_all_wrong_alike(results: StudyResults) -> Figure:
    """An image that all compared models get wrong in the same way."""
    return lay_out(results, selection.choose(results, "all_wrong_alike"))


@in_study_look
def draw_disagreement(results: StudyResults) -> Figure:
    """An image on which the compared models disagree, some with the label and some not."""
    return lay_out(results, selection.choose(results, "disagreement"))


def lay_out(results: StudyResults, choice: selection.Choice, remark: str = " ") -> Figure:
    """The picture itself, then one panel a model, at most four in a row."""
    pictures = len(choice.models) + 1
    columns = pictures if pictures <= 4 else (3 if pictures <= 6 else 4)
    rows = math.ceil(pictures / columns)
    figure = Figure(layout="constrained")
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(pictures)]
    fill_panels(panels, results, choice, remark)
    set_height(figure, rows, columns)
    return figure


def fill_panels(panels: Sequence[Axes], results: StudyResults, choice: selection.Choice, remark: str = " ") -> None:
    """The first panel shows the picture, its label and the remark, the others one model each."""
    image = choice.image
    show_photo(panels[0], results.photo(image, choice.models[0]))
    panel_title(panels[0], shorten(image, 24), f"{label_line(results, image)}\n{remark}")
    for letter, panel, model in zip(ascii_lowercase, panels[1:], choice.models, strict=False):
        mps_panel(panel, results, image, model, letter)


def label_line(results: StudyResults, image: str) -> str:
    """'label: tabby', or 'no label' for the unlabelled half."""
    rows = results.manifest.loc[results.manifest["image"] == image, "label"]
    if rows.empty or pd.isna(rows.iloc[0]):
        return "no label"
    return shorten(f"label: {results.class_name(rows.iloc[0])}", 28)


def set_height(figure: Figure, rows: int, columns: float) -> None:
    """As high as square pictures and their titles need at two journal columns' width."""
    figure.set_size_inches(DOUBLE_COLUMN, rows * (DOUBLE_COLUMN / columns + TITLE_INCHES))


def overlap_grid(axes: Axes, results: StudyResults, choice: selection.Choice) -> None:
    """A small matrix: Dice below the diagonal, Hausdorff distance above, by panel letter."""
    size = len(choice.models)
    shade = np.full((size, size), np.nan)
    for row, column in ((r, c) for r in range(size) for c in range(size) if r != c):
        pair = selection.overlap_of(results.overlaps, choice.image, choice.models[row], choice.models[column])
        below = row > column
        value = None if pair is None else pair["dice" if below else "hausdorff"]
        if below and value is not None:
            shade[row, column] = value
        text = fixed(value, 2) if below else fixed(value, 0)
        dark = below and value is not None and value > 0.6
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else None)
    axes.set_anchor("N")
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    letters = list(ascii_lowercase[:size])
    axes.set(xticks=range(size), yticks=range(size), xticklabels=letters, yticklabels=letters)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=GRID)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("overlap of a, b, …", fontsize=7.5, fontweight="bold", pad=16)
    axes.set_xlabel("lower left: Dice (1 = same pixels)\nupper right: Hausdorff, source px",
                    fontsize=7, color=FAINT_INK)  # fmt: skip
