"""A frame as an HTML table: which digits a number gets, what a column sorts by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mps_study.report.explanations import Explanation
from mps_study.report.results import StudyResults
from mps_study.report.wording import MISSING, fixed, number, p_value, percent

BELOW = {"Group": "Note", "Effect": "Effect is"}
"""Columns that the HTML shows as a small line below another, to save width."""

MOST_ROWS = 500  # a longer table is cut; the frame itself is saved beside the report


@dataclass(frozen=True)
class Cell:
    """One cell: its text, small lines below it, and what it sorts by."""

    text: str
    below: tuple[str, ...] = ()
    sort: str = ""


@dataclass(frozen=True)
class HtmlTable:
    """A numbered table, formatted."""

    name: str
    number: int
    title: str
    caption: str
    headings: list[str]
    numeric: list[bool]
    rows: list[list[Cell]]
    left_out: int


def html_table(name: str, frame: pd.DataFrame, order: int, text: Explanation, results: StudyResults) -> HtmlTable:
    """The frame, with `X, low` and `X, high` folded under `X`, and what `BELOW` names."""
    folded = {f"{heading}, {end}" for heading in frame.columns for end in ("low", "high")}
    folded |= set(BELOW.values())
    headings = [str(heading) for heading in frame.columns if heading not in folded]
    numeric = [pd.api.types.is_numeric_dtype(frame[heading]) for heading in headings]
    shown = frame.head(MOST_ROWS)
    rows = [[cell(name, row, heading) for heading in headings] for _, row in shown.iterrows()]
    left_out = len(frame) - len(shown)
    return HtmlTable(name, order, text.title, text.caption(results), headings, numeric, rows, left_out)


def cell(table: str, row: pd.Series[Any], heading: str) -> Cell:
    """One value with its interval below, when the frame has one."""
    value = row[heading]
    write = digits(table, heading)
    if isinstance(value, str):
        return Cell(value, small(row.get(BELOW.get(heading))), value.lower())
    if value is None or pd.isna(value):
        return Cell(MISSING)
    low, high = row.get(f"{heading}, low"), row.get(f"{heading}, high")
    interval = low is not None and not pd.isna(low) and not pd.isna(high)
    between = f"{write(low)} to {write(high)}".replace("%", "") if interval else ""
    below = small(between) + small(row.get(BELOW.get(heading)))
    return Cell(write(value), below, repr(float(value)))


def small(line: Any) -> tuple[str, ...]:
    """A line to stand below a value, unless it is empty."""
    return (str(line),) if line else ()


def digits(table: str, heading: str) -> Callable[[Any], str]:
    """How the numbers of a column are written."""
    if table == "dice":
        return lambda value: fixed(value, 3)
    if table == "hausdorff":
        return lambda value: fixed(value, 1)
    if heading.startswith(("Area", "Accuracy")):
        return percent
    if heading == "p" or heading.startswith("p,"):
        return lambda value: p_value(value).removeprefix("p ").removeprefix("= ")
    if heading == "Statistic":
        return lambda value: fixed(value, 2)
    if heading.startswith("Effect"):
        return lambda value: fixed(value, 3 if abs(value) < 10 else 1)
    if heading.startswith(("Model calls", "Images", "n", "Dropped")):
        return lambda value: f"{float(value):,.0f}"
    return number
