"""Tables, figures and one HTML page from the frames of a study."""

from mps_study.report.figures import FIGURES
from mps_study.report.html import render_report
from mps_study.report.results import NothingToShow, StudyResults
from mps_study.report.style import to_png
from mps_study.report.tables import TABLES

__all__ = [
    "FIGURES",
    "TABLES",
    "NothingToShow",
    "StudyResults",
    "render_report",
    "to_png",
]
