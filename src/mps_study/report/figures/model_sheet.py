"""One model's sets at a glance: a sheet of images from its smallest to its largest MPS."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.selection import found_areas
from mps_study.report.figures.photos import architecture_bar, evidence, panel_title, show_mps
from mps_study.report.figures.style import DOUBLE_COLUMN, in_study_look

COLUMNS = 4
MOST = 12


@in_study_look
def draw_model_sheet(results: StudyResults, model: str) -> Figure:
    """Up to twelve images of a model, evenly spaced in the order of their areas; ties by the image's name.

    Raises:
        NothingToShow: the model has no MPS.
    """
    areas = found_areas(results)
    areas = areas[areas["model"] == model].sort_values(["area", "image"], kind="stable")
    if areas.empty:
        raise NothingToShow(f"{model} has no MPS on any image.")
    places = np.linspace(0, len(areas) - 1, min(MOST, len(areas))).round().astype(int)
    images = [str(image) for image in areas["image"].iloc[places]]
    columns = min(COLUMNS, len(images))
    rows = math.ceil(len(images) / columns)
    side = DOUBLE_COLUMN / COLUMNS
    figure = Figure(figsize=(side * columns, (side + 0.45) * rows + 0.2), layout="constrained")
    figure.suptitle(f"{model}: {len(areas)} images, from the smallest to the largest MPS", x=0.01, ha="left")
    for index, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, index + 1)
        mask = results.mask(image, model)
        assert mask is not None
        show_mps(axes, results.photo(image, model), mask)
        panel_title(axes, image, evidence(results, results.area_row(image, model)))
        architecture_bar(axes, results, model)
    return figure
