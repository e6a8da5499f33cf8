"""The paper's Figure 2: from the picture over its responsibility landscape to the MPS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from mps_study.report.facts import selection
from mps_study.report.facts.results import Landscape, Mask, Photo, StudyResults
from mps_study.report.facts.wording import shorten
from mps_study.report.figures.photo_rows import label_line
from mps_study.report.figures.photos import (
    HALO,
    architecture_bar,
    mps_panel,
    outline,
    panel_title,
    show_photo,
    spotlight,
)
from mps_study.report.figures.style import DOUBLE_COLUMN, FAINT_INK, in_study_look

SURFACE_SIDE = 64  # cells a side of the drawn surface: finer ones only blacken it
DECADES = 6  # of a logarithmic landscape; below, pixels are as good as irrelevant

COLOURS = "viridis"
SET_COLOURS = ("#FFFFFF", "#56B4E9", "#F0E442", "#E69F00", "#CC79A7", "#009E73", "#D55E00", "#9AA5FF")
"""Okabe and Ito's, as bright as a dimmed photo needs them; none stands for an architecture here."""


@in_study_look
def draw_stages(results: StudyResults) -> Figure:
    """The input, its responsibility as heat map and as surface, the MPS, and several MPSs where there are any."""
    choice = selection.choose(results, "stages")
    image, model = choice.image, choice.models[0]
    landscape = results.landscape(image, model)
    assert landscape is not None  # the rule chose an image that has one
    heights, label = readable(landscape)
    several = results.several(image, model)

    figure = Figure(figsize=(DOUBLE_COLUMN, 2.1 if several else 2.45), layout="constrained")
    grid = figure.add_gridspec(1, 5 if several else 4, width_ratios=[1, 1, 1.35, 1, 1][: 5 if several else 4])
    picture = figure.add_subplot(grid[0])
    show_photo(picture, results.photo(image, model))
    panel_title(picture, f"a  {shorten(image, 20)}", f"{label_line(results, image)}\n ")

    heat = figure.add_subplot(grid[1])
    show_heat(figure, heat, heights, label)
    panel_title(heat, "b  responsibility", "of each pixel\n ")

    draw_surface(figure, grid[2], heights)
    mps_panel(figure.add_subplot(grid[3]), results, image, model, "d")
    if several:
        panel = figure.add_subplot(grid[4])
        show_several(panel, results.photo(image, model), several)
        panel_title(panel, f"e  {len(several)} MPSs", "each sufficient alone\n ")
        architecture_bar(panel, results, model)
    return figure


def show_heat(figure: Figure, axes: Axes, heights: NDArray[np.float64], label: str, place: Axes | None = None) -> None:
    """The landscape as `readable` gives it, as a heat map with its scale below, or in `place`."""
    drawn = axes.imshow(heights, cmap=COLOURS)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if place is None:
        bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.95, pad=0.03, aspect=22)
    else:
        bar = figure.colorbar(drawn, cax=place, orientation="horizontal")
    bar.set_label(label, fontsize=7)
    bar.ax.tick_params(labelsize=6.5)
    bar.outline.set_visible(False)


def show_several(axes: Axes, photo: Photo, masks: Sequence[Mask]) -> None:
    """The photo with the pixels of any of the masks (h, w) lit, and each mask outlined and numbered from 1.

    The colours repeat after eight masks; the numbers do not.
    """
    show_photo(axes, spotlight(photo, np.logical_or.reduce(list(masks))))
    height, width = masks[0].shape
    for number, mask in enumerate(masks, start=1):
        if not mask.any():
            continue
        colour = SET_COLOURS[(number - 1) % len(SET_COLOURS)]
        outline(axes, mask, colour)
        row, column = deepest(mask)
        note = axes.text(
            column, row, str(number), color=colour, fontsize=7.5, fontweight="bold", ha="center", va="center"
        )
        note.set_path_effects(HALO)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def deepest(mask: Mask) -> tuple[int, int]:
    """(row, column) of the kept pixel that lies furthest from any that is not: where a number stands inside."""
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), mask.shape)
    return int(row), int(column)


def readable(landscape: Landscape) -> tuple[NDArray[np.float64], str]:
    """The landscape (h, w) on a scale that shows its shape, and that scale's name.

    Responsibility is a product over many searches, so it is often a few sharp peaks in a plain that
    is orders of magnitude lower; then the logarithm is drawn, cut at the top `DECADES` decades.
    """
    highest = float(landscape.max())
    share = landscape.astype(np.float64) / (highest if highest > 0 else 1.0)
    if np.mean(share > 0.02) >= 0.05:
        return share, "responsibility (1 = highest)"
    return np.log10(np.maximum(share, 10.0**-DECADES)), "log₁₀ responsibility"


def draw_surface(figure: Figure, place: object, heights: NDArray[np.float64]) -> None:
    """The landscape as mountains; north is the top of the picture, at the back."""
    axes = figure.add_subplot(place, projection="3d")
    coarse = summits(heights, SURFACE_SIDE)
    rows, columns = np.mgrid[0 : coarse.shape[0], 0 : coarse.shape[1]]
    axes.plot_surface(
        columns, -rows, coarse, cmap=COLOURS, rcount=SURFACE_SIDE, ccount=SURFACE_SIDE,
        linewidth=0, antialiased=False,
    )  # fmt: skip
    axes.set(xticks=[], yticks=[])
    axes.tick_params(axis="z", labelsize=6.5, pad=-2, colors=FAINT_INK)
    axes.locator_params(axis="z", nbins=4)
    axes.view_init(elev=38, azim=-68)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.15)
    for pane in (axes.xaxis, axes.yaxis, axes.zaxis):
        pane.set_pane_color((1, 1, 1, 0))
    panel_title(axes, "c  landscape", "the same, as a surface\n ")


def summits(heights: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The heights (h, w), thinned to about `side` cells a side by each block's maximum."""
    step = max(1, -(-max(heights.shape) // side))
    rows = range(0, heights.shape[0], step)
    columns = range(0, heights.shape[1], step)
    return np.array([[heights[r : r + step, c : c + step].max() for c in columns] for r in rows])
