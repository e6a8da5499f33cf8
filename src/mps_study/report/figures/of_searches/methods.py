"""One image through every search of one model: what each way to a set keeps of the same picture."""

from __future__ import annotations

import math
from string import ascii_lowercase

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mps_study.common.searches import OWN
from mps_study.mps.types import FOUND
from mps_study.report.facts.results import Mask, NothingToShow, StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.facts.selection import Choice
from mps_study.report.facts.wording import count, fixed, percent, shorten
from mps_study.report.figures.photo_rows import label_line, set_height
from mps_study.report.figures.photos import panel_title, show_mps, show_photo, spotlight
from mps_study.report.figures.style import in_study_look

COLUMNS = 5
FEW, MOSTLY = 0.01, 0.25
"""Shares: of the picture, up to which a set is small; of its pixels, up to which few lie inside."""


@in_study_look
def draw_methods(results: StudyResults) -> Figure:
    """The picture, then a panel a search, the study's own first."""
    choice = typical_of_all(results)
    names = compared(results).names()
    columns = min(COLUMNS, len(names) + 1)
    rows = math.ceil((len(names) + 1) / columns)
    figure = Figure(layout="constrained")
    panels = [figure.add_subplot(rows, columns, place + 1) for place in range(len(names) + 1)]
    show_photo(panels[0], results.photo(choice.image, choice.models[0]))
    panel_title(panels[0], shorten(choice.image, 20), f"{label_line(results, choice.image)}\n{choice.models[0]}")
    for letter, panel, search in zip(ascii_lowercase, panels[1:], names, strict=False):
        search_panel(panel, results, choice, search, letter)
    set_height(figure, rows, columns)
    return figure


def typical_of_all(results: StudyResults) -> Choice:
    """The image on which most searches of the first model found a set, and among these the one of median area.

    Raises:
        NothingToShow: no search found any.
    """
    model = results.models()[0]
    searches = compared(results)
    found = searches.areas[(searches.areas["status"] == FOUND) & (searches.areas["model"] == model)]
    if found.empty:
        raise NothingToShow(f"No search of {model} found a set on any image.")
    by_image = found.groupby("image")["search"].nunique()
    most = by_image[by_image == by_image.max()].index
    own = found[found["image"].isin(most)].groupby("image")["area"].mean().sort_index()
    image = str((own - own.median()).abs().idxmin())
    rule = (
        f"of the {count(len(most), 'image')} on which {by_image.max()} of {len(searches.names())} searches of {model} "
        "found a set, the one whose mean area over them is nearest the median: a typical case"
    )
    return Choice(image, (model,), rule)


def search_panel(axes: Axes, results: StudyResults, choice: Choice, search: str, letter: str) -> None:
    """One search's set on the image, with its area and confidence above; without one, why."""
    image, model = choice.image, choice.models[0]
    photo, sighting = results.photo(image, model), compared(results).sighting(image, model, search)
    mask = None if sighting is None else sighting.mask
    areas = compared(results).areas
    rows = areas[(areas["image"] == image) & (areas["model"] == model) & (areas["search"] == search)]
    if mask is not None and scattered(mask):
        show_photo(axes, spotlight(photo, mask))
    else:
        show_mps(axes, photo, np.zeros(photo.shape[:2], dtype=bool) if mask is None else mask)
    lines = "not searched" if rows.empty else f"no MPS ({rows['status'].iloc[0]})"
    if mask is not None:
        lines = f"area {percent(rows['area'].iloc[0])}\nconf. {fixed(rows['confidence'].iloc[0], 2)}"
    panel_title(axes, f"{letter}  {'own search' if search == OWN else search}", lines)


def scattered(mask: Mask) -> bool:
    """Whether a set (h, w) is mostly border and of many pieces, so that outlines would hide what they show."""
    inside = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return bool(mask.mean() > FEW and inside.sum() < MOSTLY * mask.sum())
