"""One image and one model: the picture, its responsibility, its MPS, and several MPSs where there are any."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mps_study.mps.types import MpsRecord
from mps_study.report.facts.results import Photo
from mps_study.report.facts.wording import fixed, percent, shorten
from mps_study.report.figures.photos import panel_title, say_why, show_mps, show_photo
from mps_study.report.figures.stages import readable, show_heat, show_several
from mps_study.report.figures.style import in_study_look

SIDE = 2.1  # inches, of one panel
LAYOUT = ConstrainedLayoutEngine(rect=(0, 0, 1, 0.97))  # the names above the panels reach over their titles


@in_study_look
def draw_one_image(record: MpsRecord, photo: Photo, model: str, class_name: str, answer_name: str = "") -> Figure:
    """The panels of one record, on the photo (h, w, 3) as the model saw it.

    `class_name` is of the class that the set keeps; `answer_name` of the model's own, shown where it is another one.
    The responsibility is left out where the record has no landscape (strategy `minimal`), or a flat one.
    """
    heat, several = record.landscape is not None and bool(np.ptp(record.landscape)), bool(record.further)
    panels = iter("abcd")
    columns = 2 + heat + several
    figure = Figure(figsize=(SIDE * columns, SIDE + (1.05 if heat else 0.55)), layout=LAYOUT)
    axes = iter([figure.add_subplot(1, columns, column, anchor="N") for column in range(1, columns + 1)])

    picture = next(axes)
    show_photo(picture, photo)
    whole = f"{shorten(class_name, 24)}\nconf. {fixed(record.target.confidence, 2)}"
    if record.top is not None:
        whole += f"; the model's: {shorten(answer_name, 16)}"
    panel_title(picture, f"{next(panels)}  {shorten(record.key, 20)}", whole)
    if record.landscape is not None and heat:
        landscape = next(axes)
        scale = landscape.inset_axes((0.025, -0.08, 0.95, 0.04))  # its own axes would push the panel out of line
        show_heat(figure, landscape, *readable(record.landscape), scale)
        panel_title(landscape, f"{next(panels)}  responsibility", "of each pixel\n ")
    mps = next(axes)
    mask = np.zeros(photo.shape[:2], dtype=bool) if record.mask is None else record.mask
    show_mps(mps, photo, mask)
    found = f"MPS: area {percent(record.area)}, conf. {fixed(record.confidence, 2)}"
    if record.mask is None:
        found = f"no MPS ({record.status})"
        say_why(mps, record.reason or record.status)
    panel_title(mps, f"{next(panels)}  {shorten(model, 22)}", f"{found}\n ")
    if several and record.mask is not None:
        masks = [record.mask, *(mps.mask for mps in record.further)]
        panel = next(axes)
        show_several(panel, photo, masks)
        panel_title(panel, f"{next(panels)}  {len(masks)} MPSs", "each sufficient alone\n ")
    return figure
