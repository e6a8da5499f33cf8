"""Rows of the statistics frame: finding them and writing them; their names stand only here."""

from __future__ import annotations

from typing import Any, TypeAlias

import pandas as pd

from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import is_missing, number, p_value

StatRow: TypeAlias = "pd.Series[Any]"

ALL_MODELS = "all models, all images"
ARCHITECTURE_MEANS = "architecture means, all images"
CORRECT_BY_ALL = "labelled, correct by all"
ALL_IMAGES = "all images"

SYMBOLS = {
    "friedman": "χ²",
    "kruskal-wallis": "H",
    "wilcoxon signed-rank": "T",
    "mixed model, random model": "z",
    "mixed model, random model and image": "z",
}
TEST_NAMES = {
    "friedman": "Friedman",
    "kruskal-wallis": "Kruskal–Wallis",
    "wilcoxon signed-rank": "Wilcoxon signed-rank",
    "mixed model, random model": "Mixed linear model, random model",
    "mixed model, random model and image": "Mixed linear model, random model and image",
    "mean dice": "Mean Dice",
    "mean hausdorff": "Mean Hausdorff distance",
    "mean hausdorff_ratio": "Mean Hausdorff distance, share of the diagonal",
    "mean hausdorff_grid": "Mean Hausdorff distance on the grid",
    "mean iou": "Mean IoU",
    "images chosen": "Images chosen",
    "friedman on dice": "Friedman on Dice",
    "friedman on hausdorff": "Friedman on Hausdorff distance",
}
EFFECT_NAMES = {
    "epsilon-squared": "ε²",
    "kendall's w": "Kendall's W",
    "mean dice": "mean Dice",
    "mean hausdorff in source pixels": "mean distance in source pixels",
}
UNITS = {"friedman": "images", "wilcoxon signed-rank": "images", "kruskal-wallis": "areas"}


def test_name(test: str) -> str:
    """The test's name for readers; an unknown one keeps its own."""
    return TEST_NAMES.get(test, test.capitalize())


def effect_name(name: str) -> str:
    """The effect size's name for readers; an unknown one keeps its own."""
    return EFFECT_NAMES.get(name, name)


def rows_of(statistics: pd.DataFrame, test: str, group: str) -> pd.DataFrame:
    """All rows of a test on a group, in order; empty when the run did not make them."""
    return statistics[(statistics["test"] == test) & (statistics["group"] == group)]


def first_row(statistics: pd.DataFrame, test: str, group: str) -> StatRow | None:
    """The first row of a test on a group, or None."""
    rows = rows_of(statistics, test, group)
    return None if rows.empty else rows.iloc[0]


def is_computed(row: StatRow | None) -> bool:
    """Whether the row holds a result rather than the reason why there is none."""
    return row is not None and row["status"] == "ok"


def is_significant(row: StatRow) -> bool:
    """The row's own verdict at its own alpha; False when it has none."""
    return not is_missing(row["significant"]) and bool(row["significant"])


def why_not(row: StatRow | None) -> str:
    """The reason of a skipped row, or that this run has no such row."""
    return "this run has no such test" if row is None else str(row["reason"])


def sizes_across_architectures(results: StudyResults) -> StatRow | None:
    """The leading test of RQ1: the same images through every architecture.

    Friedman on per-image architecture means; with two architectures the paired Wilcoxon, and with
    one, the same on its models.
    """
    architectures = results.architectures()
    alone = len(architectures) == 1
    group = f"{architectures[0]} models, all images" if alone else ARCHITECTURE_MEANS
    treatments = len(results.models()) if alone else len(architectures)
    test = "wilcoxon signed-rank" if treatments == 2 else "friedman"
    return first_row(results.statistics, test, group)


def sizes_within_architecture(results: StudyResults, architecture: str) -> StatRow | None:
    """Friedman over the models of one architecture."""
    return first_row(results.statistics, "friedman", f"{architecture} models, all images")


def kruskal_wallis(results: StudyResults) -> StatRow | None:
    """The paper's test of RQ1 on every MPS of the run, taken as independent."""
    return first_row(results.statistics, "kruskal-wallis", ALL_MODELS)


def mean_overlaps(results: StudyResults, measure: str, selection: str) -> pd.DataFrame:
    """The computed means of a measure of `overlaps`, one row a pair of compared models."""
    architectures = results.architectures()
    team = "best models" if len(architectures) > 1 else f"{architectures[0]} models"
    rows = rows_of(results.statistics, f"mean {measure}", f"{team}, {selection}")
    return rows[rows["status"] == "ok"]


def correctness(
    results: StudyResults, *, relative: bool = False, test: str = "mixed model, random model and image"
) -> StatRow | None:
    """What being wrong adds to the area, matched by model and image (or as `test` says); in points, or relative."""
    rows = rows_of(results.statistics, test, "all models, labelled")
    chosen = rows[rows["effect_name"].str.contains("relative") == relative]
    return None if chosen.empty else chosen.iloc[0]


def interval(confidence: float | None) -> str:
    """'95% interval' of a row's own `confidence`; 'interval' where it has none."""
    return "interval" if confidence is None or is_missing(confidence) else f"{100 * confidence:g}% interval"


def level(statistics: pd.DataFrame) -> float | None:
    """Level of the intervals of these rows; None where none has one."""
    known = statistics["confidence"].dropna() if "confidence" in statistics else pd.Series(dtype=float)
    return float(known.iloc[0]) if len(known) else None


def as_text(row: StatRow) -> str:
    """'Friedman χ²(4) = 62.1, p < 0.001, Kendall's W = 0.65, n = 24 images'."""
    test = str(row["test"])
    df = "" if is_missing(row["df"]) else f"({number(row['df'])})"
    left_out = f" ({int(row['dropped'])} left out)" if row["dropped"] else ""
    parts = [
        f"{test_name(test)} {SYMBOLS.get(test, 'statistic')}{df} = {number(row['statistic'])}",
        p_value(row["p"]),
        effect_text(row),
        f"n = {int(row['n'])} {UNITS.get(test, 'rows')}{left_out}",
    ]
    return ", ".join(part for part in parts if part)


def effect_text(row: StatRow) -> str:
    """'ε² = 0.56', or nothing when the row has no effect."""
    if is_missing(row["effect"]):
        return ""
    return f"{effect_name(str(row['effect_name']))} = {number(row['effect'])}"
