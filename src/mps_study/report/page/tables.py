"""A frame as an HTML table: what shares a cell, what a column sorts by, and the files to download."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mps_study.report.facts.digits import digits
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import MISSING
from mps_study.report.page.explanations import Explanation
from mps_study.report.tables.latex import FOLDED, to_latex

BELOW = {
    "Group": "Note",
    "Effect": "Effect is",
    "Quantity": "Note",
    "Pair": "Note",
    "Selection": "Note",
    "Search": "Note",
}
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
    downloads: dict[str, str]
    """File name -> data URI."""


def html_table(name: str, frame: pd.DataFrame, order: int, text: Explanation, results: StudyResults) -> HtmlTable:
    """The frame, with `X, low`, `X, high` and `X, n` folded under `X`, and what `BELOW` names."""
    folded = {f"{heading}, {end}" for heading in frame.columns for end in FOLDED}
    folded |= {small for heading, small in BELOW.items() if heading in frame}
    headings = [str(heading) for heading in frame.columns if heading not in folded]
    numeric = [pd.api.types.is_numeric_dtype(frame[heading]) for heading in headings]
    shown = frame.head(MOST_ROWS)
    rows = [[cell(name, row, heading) for heading in headings] for _, row in shown.iterrows()]
    left_out = len(frame) - len(shown)
    caption = text.caption(results)
    downloads = {
        f"{name}.csv": data_uri("text/csv", frame.to_csv(index=False)),
        f"{name}.tex": data_uri("application/x-tex", to_latex(name, frame, f"{text.title}. {caption}")),
    }
    return HtmlTable(name, order, text.title, caption, headings, numeric, rows, left_out, downloads)


def data_uri(kind: str, text: str) -> str:
    """The text as the target of a link that needs no file."""
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode('ascii')}"


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
    n = row.get(f"{heading}, n")
    counted = "" if n is None or pd.isna(n) else f"n = {n:,.0f}"
    below = small(between) + small(counted) + small(row.get(BELOW.get(heading)))
    return Cell(write(value), below, repr(float(value)))


def small(line: Any) -> tuple[str, ...]:
    """A line to stand below a value, unless it is empty."""
    return (str(line),) if line else ()
