"""LaTeX tables: read back by a small parser of our own, since no LaTeX need be installed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mps_study.report.facts.results import StudyResults
from mps_study.report.files import latex_of
from mps_study.report.tables.all_tables import TABLES
from mps_study.report.tables.latex import as_written, to_latex


def rows_of(text: str) -> list[list[str]]:
    """The cells between the rules, by row: column separators are ampersands that no backslash escapes."""
    body = text[text.index(r"\toprule") : text.rindex(r"\bottomrule")]
    lines = [line.strip() for line in body.splitlines() if line.rstrip().endswith(r"\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))] for line in lines]


def test_what_is_special_to_latex_is_escaped_and_comes_back_as_it_was() -> None:
    nasty = r"50% of a_b & {c} #1 $x$ ~ ^ \end{table}"
    text = to_latex("t", pd.DataFrame({"x_1 & y": [nasty], "n": [3]}), caption=f"Caption: {nasty}")
    (heading, cells) = rows_of(text)
    assert heading[0].replace(r"\allowbreak{}", "") == r"x\_1 \& y" and cells[1] == "3"
    assert len(heading) == len(cells) == 2
    back = cells[0].replace(r"\allowbreak{}", "")
    for command, sign in ((r"\textasciitilde ", "~"), (r"\textasciicircum ", "^"), (r"\textbackslash ", "\\")):
        back = back.replace(command, sign)
    back = back.replace(r"\space ", " ")
    assert re.sub(r"\\([&%$#_{}])", r"\1", back) == nasty
    assert text.count(r"\end{table}") == 1  # the caption's and the cell's are not LaTeX


@pytest.mark.parametrize("study", ["large", "small", "lucky"])
@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_whole_latex(name: str, study: str, request: pytest.FixtureRequest) -> None:
    results = request.getfixturevalue(study)
    frame = TABLES[name](results)
    text = latex_of(name, frame, results)
    for environment in ("tabular", "longtable", "table"):
        assert text.count(f"\\begin{{{environment}}}") == text.count(f"\\end{{{environment}}}")
    unescaped = re.sub(r"\\[{}]", "", text)
    assert unescaped.count("{") == unescaped.count("}")
    assert f"\\label{{tab:{name}}}" in text and "booktabs" in text and r"\midrule" in text
    assert text.isascii(), [sign for sign in text if not sign.isascii()]
    written = as_written(name, frame)
    widths = {len(row) for row in rows_of(text) if not row[0].startswith((r"\multicolumn", r"\caption"))}
    assert widths == {len(written.columns)} or frame.empty


def test_a_mean_its_interval_and_its_count_share_a_cell() -> None:
    frame = pd.DataFrame({"Area, x": [0.123, 0.2], "Area, x, low": [0.1, np.nan], "Area, x, high": [0.15, np.nan],
                          "Area, x, n": pd.array([12, None], dtype="Int64")})  # fmt: skip
    assert as_written("t", frame)["Area, x"].tolist() == ["12.3% [10.0, 15.0] (12)", "20.0%"]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_survives_parquet_and_csv(name: str, large: StudyResults, tmp_path) -> None:
    frame = TABLES[name](large)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    back = pd.read_parquet(tmp_path / "t.parquet")
    assert list(back.columns) == list(frame.columns) and len(back) == len(frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert list(pd.read_csv(tmp_path / "t.csv").columns) == list(frame.columns)
