"""All figures of the report, by name; each raises `NothingToShow` when this study has none."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from mps_study.report.facts.both_classes import asks_for_labels
from mps_study.report.facts.results import StudyResults
from mps_study.report.figures.areas import draw_correctness, draw_sizes
from mps_study.report.figures.of_searches.anytime import draw_anytime
from mps_study.report.figures.of_searches.both_classes import draw_both_classes
from mps_study.report.figures.of_searches.methods import draw_methods
from mps_study.report.figures.of_searches.searches import draw_searches
from mps_study.report.figures.of_trust.cross import draw_cross
from mps_study.report.figures.of_trust.intervals import draw_confidence_and_size, draw_monitor, draw_survival
from mps_study.report.figures.of_trust.parts import draw_parts
from mps_study.report.figures.photo_rows import (
    draw_all_wrong_alike,
    draw_disagreement,
    draw_gallery,
    draw_largest_hausdorff,
)
from mps_study.report.figures.stages import draw_stages

FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "gallery": draw_gallery,
    "stages": draw_stages,
    "sizes": draw_sizes,
    "largest_hausdorff": draw_largest_hausdorff,
    "all_wrong_alike": draw_all_wrong_alike,
    "disagreement": draw_disagreement,
    "correctness": draw_correctness,
}
"""In the order in which they are numbered; the first six are the paper's Figures 1 to 6."""

SEARCH_FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "searches": draw_searches,
    "anytime": draw_anytime,
    "methods": draw_methods,
    "both_classes": draw_both_classes,
}
"""Those of a study with more than one search, numbered after all others; what none of them was asked has none."""


TRUST_FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "survival": draw_survival,
    "cross_sufficiency": draw_cross,
    "sub_explanations": draw_parts,
}
MODELS_FIGURES: dict[str, Callable[[StudyResults], Figure]] = {
    "failure_monitor": draw_monitor,
    "confidence_and_size": draw_confidence_and_size,
}
"""Those of a study that asked about its sets, numbered last."""


def figures_of(results: StudyResults) -> dict[str, Callable[[StudyResults], Figure]]:
    """Every figure that this study has, by name."""
    shown = FIGURES | ({} if results.searches is None else SEARCH_FIGURES)
    shown |= TRUST_FIGURES | MODELS_FIGURES if len(results.trust) else {}
    timed = results.searches is not None and len(results.searches.anytime) > 0
    missing = {name for name, asked in (("both_classes", asks_for_labels(results)), ("anytime", timed)) if not asked}
    return {name: draw for name, draw in shown.items() if name not in missing}
