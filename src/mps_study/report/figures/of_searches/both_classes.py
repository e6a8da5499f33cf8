"""Misclassified images: what speaks for the class that the model gives, beside what speaks for the right one."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mps_study.mps.types import FOUND
from mps_study.report.facts.both_classes import both_classes
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.facts.wording import fixed, percent, shorten
from mps_study.report.figures.photos import architecture_bar, panel_title, say_why, show_mps, show_photo
from mps_study.report.figures.style import DOUBLE_COLUMN, in_study_look

MOST = 5
"""Rows, each of another model as long as there are any."""


def shown_rows(results: StudyResults) -> list[dict[str, Any]]:
    """The misclassified images of the figure: of each model the one with the surest wrong answer, the surest first.

    Those of which both searches ended with a set that says something (`found`) come first.
    """
    both = both_classes(results)
    if both.empty:
        return []
    found = (both[["status_given", "status_label"]] == FOUND).all(axis=1)
    rows = both.assign(less=~found).sort_values("less", kind="stable").drop_duplicates("model")
    return [{str(key): value for key, value in row.items()} for row in rows.head(MOST).to_dict("records")]


@in_study_look
def draw_both_classes(results: StudyResults) -> Figure:
    """A row a model: a picture that it gets wrong, the set of the class that it gives, the set of the right one."""
    rows = shown_rows(results)
    if not rows:
        raise NothingToShow("No misclassified image was searched for both the class given and its label.")
    side = DOUBLE_COLUMN / 4
    engine = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - 0.1 / (side * len(rows))))  # names reach over their titles
    figure = Figure(figsize=(side * 3, (side + 0.5) * len(rows) + 0.1), layout=engine)
    for number, row in enumerate(rows):
        panels = [figure.add_subplot(len(rows), 3, 3 * number + place) for place in (1, 2, 3)]
        show_photo(panels[0], results.photo(row["image"], row["model"]))
        panel_title(panels[0], row["image"], f"{shorten(row['model'], 28)}\n ")
        draw_set(panels[1], results, row, "given", f"✗ {shorten(results.class_name(row['target']), 24)}")
        draw_set(panels[2], results, row, "label", f"label: {shorten(results.class_name(row['label']), 21)}")
    return figure


def draw_set(axes: Axes, results: StudyResults, row: dict[str, Any], which: str, name: str) -> None:
    """One of the two sets, under the name of the class that it keeps."""
    seen = compared(results).sighting(row["image"], row["model"], row[f"search_{which}"])
    photo = results.photo(row["image"], row["model"])
    mask = None if seen is None else seen.mask
    show_mps(axes, photo, np.zeros(photo.shape[:2], dtype=bool) if mask is None else mask)
    status = row[f"status_{which}"]
    if mask is None:
        say_why(axes, status)
    whole = f"whole image: {fixed(row[f'target_confidence_{which}'], 2)}"
    alone = f"area {percent(row[f'area_{which}'])}, conf. {fixed(row[f'confidence_{which}'], 2)}"
    panel_title(
        axes, name, f"{whole}{'' if status == 'found' else f', {status}'}\n{alone if mask is not None else ' '}"
    )
    architecture_bar(axes, results, row["model"])
