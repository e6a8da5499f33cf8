"""How an MPS is drawn on a photo: kept pixels in full colour, the rest dimmed, a thin outline."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from mps_study.report.facts.results import Mask, Photo, StudyResults
from mps_study.report.facts.wording import fixed, percent, shorten
from mps_study.report.figures.style import INK, architecture_colours

LUMINANCE = np.array([0.299, 0.587, 0.114])
SMALL = 0.08  # an MPS narrower than this share of the picture gets a ring, so that it is found
HALO: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=2.0, foreground="black")]


def spotlight(photo: Photo, mask: Mask) -> Photo:
    """The photo (h, w, 3) with everything outside the mask (h, w; True = kept) grey and dark."""
    if mask.shape != photo.shape[:2]:
        raise ValueError(
            f"the mask is {mask.shape} and the photo {photo.shape[:2]}: both must be the picture "
            "as the model saw it; give the photo at the model's input size"
        )
    grey = (photo @ LUMINANCE)[..., None]
    dimmed = (16 + 0.40 * grey).repeat(3, axis=2)
    lit: NDArray[np.float64] = np.where(mask[..., None], photo, dimmed)
    return lit.round().astype(np.uint8)


def show_photo(axes: Axes, photo: Photo) -> None:
    """Draw a picture (h, w, 3) without ticks, at its own aspect."""
    axes.imshow(photo)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def show_mps(axes: Axes, photo: Photo, mask: Mask) -> None:
    """Draw the photo with its MPS lit and outlined; visible on any picture, at any size."""
    show_photo(axes, spotlight(photo, mask))
    height, width = mask.shape
    if mask.any():
        outline(axes, mask)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def outline(axes: Axes, mask: Mask, colour: str = "white") -> None:
    """A line with a black halo around the kept pixels, and a ring when they are very few."""
    padded = np.pad(mask.astype(float), 1)  # so that a set touching the border is closed there
    columns = np.arange(-1, mask.shape[1] + 1)
    rows = np.arange(-1, mask.shape[0] + 1)
    lines = axes.contour(columns, rows, padded, levels=[0.5], colors=colour, linewidths=0.7)
    lines.set_path_effects(HALO)
    y, x = np.nonzero(mask)
    side = max(np.ptp(x), np.ptp(y)) + 1
    if side < SMALL * mask.shape[1]:
        centre = ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2)
        radius = side / 2 + SMALL / 2 * mask.shape[1]
        ring = Circle(centre, radius, fill=False, edgecolor=colour, linewidth=0.9, clip_on=False)
        ring.set_in_layout(False)  # at a border it reaches over the margin, which need not grow
        ring.set_path_effects(HALO)
        axes.add_patch(ring)


def mps_panel(axes: Axes, results: StudyResults, image: str, model: str, letter: str = "") -> None:
    """One model's MPS on one image, with its area, confidence and class above.

    Without an MPS the picture is dimmed throughout and says why.
    """
    photo, mask = results.photo(image, model), results.mask(image, model)
    row = results.area_row(image, model)
    show_mps(axes, photo, np.zeros(photo.shape[:2], dtype=bool) if mask is None else mask)
    if mask is None:
        say_why(axes, "not searched" if row is None else str(row["reason"] or row["status"]))
    panel_title(axes, f"{letter}  {model}" if letter else model, evidence(results, row))
    architecture_bar(axes, results, model)


def say_why(axes: Axes, reason: str) -> None:
    """Write across a picture why it has no set."""
    lines = "\n".join(wrap(shorten(reason, 120), 26))
    note = axes.text(0.5, 0.5, f"no MPS\n{lines}", transform=axes.transAxes)
    note.set(ha="center", va="center", color="white", fontsize=7.5)


def evidence(results: StudyResults, row: pd.Series | None) -> str:
    """Two short lines: the class with a tick or a cross, then area and confidence (of the class asked for)."""
    if row is None:
        return "not searched\n "
    sign = "" if pd.isna(row["correct"]) else ("✓ " if row["correct"] else "✗ ")
    line = f"{sign}{shorten(results.class_name(row['target']), 24)}"
    if pd.isna(row["area"]):
        return f"{line}\n "
    kept = row.get("kept")
    another = "" if pd.isna(kept) or kept == row["target"] else f" of {shorten(results.class_name(kept), 16)}"
    return f"{line}\narea {percent(row['area'])}, conf.{another} {fixed(row['confidence'], 2)}"


def panel_title(axes: Axes, name: str, lines: str) -> None:
    """A bold name over two plain lines, left-aligned with the picture.

    One title cannot be bold in part: the title holds the lines and leaves a blank one for the name.
    """
    axes.set_title(f" \n{lines}", loc="left", fontsize=7.2, linespacing=1.25, pad=4)
    axes.annotate(
        shorten(name, 26), xy=(0, 1), xycoords="axes fraction", xytext=(0, 25),
        textcoords="offset points", fontsize=7.5, fontweight="bold", color=INK,
    )  # fmt: skip


def architecture_bar(axes: Axes, results: StudyResults, model: str) -> None:
    """A thin strip under the picture in the colour of the model's architecture."""
    colour = architecture_colours(results.architectures())[results.architecture_of(model)]
    strip = Rectangle((0, -0.035), 1, 0.025, transform=axes.transAxes, clip_on=False)
    strip.set(facecolor=colour, linewidth=0)
    axes.add_patch(strip)
