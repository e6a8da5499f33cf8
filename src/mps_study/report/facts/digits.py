"""How the numbers of a table's column are written, in the HTML and in LaTeX alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mps_study.report.facts.wording import fixed, number, p_value, percent

SHARES = ("Area", "Accuracy", "Survive", "Share", "1-minimal")
"""How headings of columns begin that are written in percent."""


def digits(table: str, heading: str) -> Callable[[Any], str]:
    """The writer of a column's numbers."""
    if table == "dice" or heading.startswith(("Dice", "IoU", "Confidence")):
        return lambda value: fixed(value, 3)
    if heading.startswith(("AU", "Correlation", "Curve")):
        return lambda value: fixed(value, 2 if heading[0] == "C" else 3)
    if heading.endswith("share of diagonal") or heading.startswith(SHARES):
        return percent
    if table == "hausdorff" or heading.startswith(("Hausdorff", "Centroid")):
        return lambda value: fixed(value, 1)
    if heading == "p" or heading.startswith("p,"):
        return lambda value: p_value(value).removeprefix("p ").removeprefix("= ")
    if heading == "Statistic":
        return lambda value: fixed(value, 2)
    if heading.startswith("Effect"):
        return lambda value: fixed(value, 3 if abs(value) < 10 else 1)
    if heading.startswith(("Evaluations", "Gradients", "Images", "Without", "n", "Dropped")):
        return lambda value: f"{float(value):,.0f}"
    return number
