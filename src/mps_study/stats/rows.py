"""The row that every test answers with, and the frame that rows become."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd
from statsmodels.stats.multitest import multipletests

COLUMNS: dict[str, str] = {
    "test": "str",
    "group": "str",
    "contrast": "str",
    "statistic": "float64",
    "df": "float64",
    "p": "float64",
    "p_adj": "float64",
    "p_holm": "float64",
    "effect": "float64",
    "effect_name": "str",
    "ci_low": "float64",
    "ci_high": "float64",
    "confidence": "float64",
    "n": "int64",
    "dropped": "int64",
    "alpha": "float64",
    "significant": "boolean",
    "status": "str",
    "reason": "str",
}
"""Columns of the statistics frame, in order, with their dtypes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One test or contrast; the fields are the columns of the statistics frame.

    n counts what the number rests on: values (independent samples), blocks (Friedman), pairs
    with a difference (Wilcoxon), rows (mixed models) or images (means). dropped counts what
    should have been there and was left out. contrast "a - b" has a positive effect when a is
    larger; "a & b" is an unordered pair. confidence is the level of the interval from ci_low to ci_high.
    NaN, and NA in significant: not computed.
    """

    test: str
    group: str
    contrast: str = ""
    statistic: float = math.nan
    df: float = math.nan
    p: float = math.nan
    p_adj: float = math.nan
    p_holm: float = math.nan
    effect: float = math.nan
    effect_name: str = ""
    ci_low: float = math.nan
    ci_high: float = math.nan
    confidence: float = math.nan
    n: int = 0
    dropped: int = 0
    alpha: float = math.nan
    significant: bool | None = None
    status: str = "ok"
    reason: str = ""


def skipped(test: str, group: str, reason: str, contrast: str = "", n: int = 0, dropped: int = 0) -> Row:
    """A row that says, in plain English, why its test was not computed."""
    return Row(test, group, contrast, n=n, dropped=dropped, status="skipped", reason=reason)


def family(rows: Sequence[Row], alpha: float) -> list[Row]:
    """The rows with p_adj (Bonferroni), p_holm, alpha and significant filled in.

    The rows are one family: the contrasts that follow one omnibus test. An omnibus test is a
    family of its own, where both adjustments change nothing. Rows without a p, such as skipped
    ones, do not count towards the family's size: what was not tested cannot be rejected.
    """
    tested = [i for i, row in enumerate(rows) if not math.isnan(row.p)]
    filled = [replace(row, alpha=alpha) for row in rows]
    if not tested:
        return filled
    p = [rows[i].p for i in tested]
    # A lone test needs no adjustment, and statsmodels' Holm pauses to collect garbage.
    bonferroni = multipletests(p, method="bonferroni")[1] if len(p) > 1 else p
    holm = multipletests(p, method="holm")[1] if len(p) > 1 else p
    for i, adjusted, step_down in zip(tested, bonferroni, holm, strict=True):
        filled[i] = replace(
            filled[i],
            p_adj=float(adjusted),
            p_holm=float(step_down),
            significant=bool(adjusted < alpha),
        )
    return filled


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows as a frame with exactly COLUMNS and their dtypes, also when there are none."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS)).astype(COLUMNS)
