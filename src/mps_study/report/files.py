"""A figure as files: PNG for screens, SVG for print."""

from __future__ import annotations

import io
import re
import threading

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.figures.all_figures import figures_of
from mps_study.report.figures.fonts import write_figure
from mps_study.report.figures.model_sheet import draw_model_sheet
from mps_study.report.figures.style import to_png
from mps_study.report.page.explanations import TABLE_TEXTS
from mps_study.report.tables.latex import to_latex

ONE_AT_A_TIME = threading.RLock()
"""Held while a figure is drawn: matplotlib's settings are the whole process's, and nodes may run in threads."""


def draw_files(name: str, results: StudyResults) -> dict[str, bytes | str]:
    """`NAME.png` and `NAME.svg` with their bytes; or `NAME` with the reason why there is nothing to show."""
    with ONE_AT_A_TIME:
        try:
            figure = figures_of(results)[name](results)
        except NothingToShow as nothing:
            return {name: nothing.reason}
        files: dict[str, bytes | str] = {f"{name}.png": to_png(figure), f"{name}.svg": to_svg(figure)}
        figure.clear()  # it holds itself in circles, and its arrays would lie about until they are collected
        return files


def draw_sheet(model: str, results: StudyResults) -> dict[str, bytes | str]:
    """`MODEL.png` with the sheet of a model; or `MODEL` with the reason why there is none."""
    with ONE_AT_A_TIME:
        try:
            figure = draw_model_sheet(results, model)
        except NothingToShow as nothing:
            return {model: nothing.reason}
        files: dict[str, bytes | str] = {f"{model}.png": to_png(figure, dpi=150)}
        figure.clear()
        return files


def latex_of(name: str, frame: pd.DataFrame, results: StudyResults) -> str:
    """A table of the registry as LaTeX, with its title and caption."""
    text = TABLE_TEXTS[name]
    return to_latex(name, frame, f"{text.title}. {text.caption(results)}")


def to_svg(figure: Figure) -> bytes:
    """The figure as SVG, the same bytes for the same figure.

    matplotlib names a clip path by a hash of its place, of which a layout's last bits differ from run to run; here they
    are numbered.
    """
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "mps-study"}):
        write_figure(figure, buffer, format="svg", metadata={"Date": None})
    numbers: dict[bytes, bytes] = {}

    def numbered(found: re.Match[bytes]) -> bytes:
        return found[1] + numbers.setdefault(found[2], b"clip%d" % (len(numbers) + 1)) + found[3]

    return re.sub(rb'(url\(#|<clipPath id=")(p[0-9a-f]{10})(\)|")', numbered, buffer.getvalue())
