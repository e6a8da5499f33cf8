"""A table as LaTeX: booktabs rules, numbers as in the report, everything else escaped."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mps_study.report.facts.digits import digits
from mps_study.report.facts.wording import MISSING

PACKAGES = "% needs \\usepackage{array,booktabs,graphicx,longtable} and UTF-8 input\n"
FOLDED = ("low", "high", "n")
LONG = 40  # rows from which a table breaks over pages
SENTENCE = 24  # characters from which a column breaks its lines
MANY = 10  # columns from which a long table needs the smallest type, on a page turned on its side
WIDE = 6  # columns from which a table is shrunk to the width of the text

IN_MATHS = {
    "−": "$-$", "–": "--", "∞": "$\\infty$", "ε": "$\\varepsilon$", "χ": "$\\chi$", "²": "\\textsuperscript{2}",
    "α": "$\\alpha$", "✓": "\\checkmark{}", "…": "\\dots{}", "×": "$\\times$", "·": "$\\cdot$", "₁₀": "$_{10}$",
}  # fmt: skip


def to_latex(name: str, frame: pd.DataFrame, caption: str) -> str:
    """The table in a `table` environment, or a `longtable` when it has many rows; its label is `tab:NAME`.

    A mean, its interval and count (columns `X`, `X, low`, `X, high`, `X, n`) share a cell.
    """
    written = as_written(name, frame)
    styler = written.style.hide(axis="index")
    styler = styler.format(escape="latex").format_index(escape="latex", axis=1)
    columns = [column_type(frame[heading], written[heading]) for heading in written.columns]
    long = len(written) > LONG
    text = styler.to_latex(
        hrules=True,
        column_format="".join(columns),
        environment="longtable" if long else "table",
        position=None if long else "htbp",
        position_float=None if long else "centering",
        caption=escaped(caption),
        label=f"tab:{name}",
    )
    if long:
        size = "tiny" if len(columns) > MANY else "scriptsize"
        text = f"{{\\{size}\\setlength{{\\tabcolsep}}{{2pt}}\n{text}}}\n"
    elif len(written.columns) >= WIDE:
        text = text.replace("\\begin{tabular}", "\\resizebox{\\linewidth}{!}{\\begin{tabular}")
        text = text.replace("\\end{tabular}", "\\end{tabular}}")
    text = text.replace("\\_", "\\_\\allowbreak{}")  # or a model's name never breaks
    for sign, command in IN_MATHS.items():
        text = text.replace(sign, command)
    return PACKAGES + text


def column_type(values: pd.Series[Any], written: pd.Series[str]) -> str:
    """Right for numbers, left for words, a ragged paragraph for sentences."""
    if pd.api.types.is_numeric_dtype(values):
        return "r"
    longest = int(written.str.len().max()) if len(written) else 0
    if longest <= SENTENCE:
        return "l"
    return f">{{\\raggedright\\arraybackslash}}p{{{min(longest / 8, 5.0):.1f}cm}}"


def as_written(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every cell as the text that a reader sees, intervals and counts folded into their mean."""
    folded = {f"{heading}, {end}" for heading in frame.columns for end in FOLDED}
    headings = [str(heading) for heading in frame.columns if heading not in folded]
    cells = [[_cell(name, row, heading) for heading in headings] for _, row in frame.iterrows()]
    return pd.DataFrame(cells, columns=headings, dtype=object)


def _cell(table: str, row: pd.Series[Any], heading: str) -> str:
    value = row[heading]
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return MISSING
    write = digits(table, heading)
    low, high, n = (row.get(f"{heading}, {end}") for end in FOLDED)
    interval = (
        "" if low is None or pd.isna(low) or pd.isna(high) else f" [{write(low)}, {write(high)}]".replace("%", "")
    )
    return f"{write(value)}{interval}" + ("" if n is None or pd.isna(n) else f" ({n:,.0f})")


def escaped(text: str) -> str:
    """Plain text with LaTeX's special characters escaped, as pandas does in cells."""
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    return "".join(special.get(sign, f"\\{sign}" if sign in "&%$#_{}" else sign) for sign in text)
