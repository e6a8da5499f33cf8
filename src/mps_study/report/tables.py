"""The report's tables: frames with headings for people, numbers still numbers.

A mean is followed by its interval in columns of the same heading with `, low` and `, high`; the
HTML folds the three into one cell, a CSV keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mps_study.report import selection
from mps_study.report.results import StudyResults
from mps_study.report.statistics_rows import effect_name, test_name

SUMMARY_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "best": "Best",
    "accuracy": "Accuracy",
    "area_labelled": "Area, labelled",
    "area_correct": "Area, correct",
    "area_incorrect": "Area, incorrect",
    "area_unlabelled": "Area, unlabelled",
    "area_paper_mean": "Area, mean of four",
    "n_labelled": "Images, labelled",
    "n_correct": "Images, correct",
    "n_unlabelled": "Images, unlabelled",
    "evaluations": "Model calls per MPS",
}
INTERVALS = ("area_labelled", "area_correct", "area_incorrect", "area_unlabelled")

STATISTICS_HEADINGS = {
    "test": "Test",
    "group": "Group",
    "contrast": "Contrast",
    "n": "n",
    "effect": "Effect",
    "ci_low": "Effect, low",
    "ci_high": "Effect, high",
    "effect_name": "Effect is",
    "statistic": "Statistic",
    "df": "df",
    "p": "p",
    "p_adj": "p, Bonferroni",
    "p_holm": "p, Holm",
    "significant": "Significant",
    "dropped": "Dropped",
    "note": "Note",
}

FAILURE_HEADINGS = {
    "image": "Image",
    "architecture": "Architecture",
    "model": "Model",
    "status": "Status",
    "reason": "Reason",
    "target": "Class",
    "evaluations": "Model calls",
}


def table_of_models(results: StudyResults) -> pd.DataFrame:
    """Table 1: sizes and accuracy, one row a model, an architecture's models together."""
    summary = grouped_by_architecture(results.model_summary)
    columns: dict[str, str] = {}
    for column, heading in SUMMARY_HEADINGS.items():
        columns[column] = heading
        if column in INTERVALS:
            columns |= {f"{column}_{end}": f"{heading}, {end}" for end in ("low", "high")}
    table = summary[list(columns)].rename(columns=columns)
    table["Best"] = table["Best"].astype("boolean").fillna(False).map({True: "best", False: ""})
    return table.reset_index(drop=True)


def grouped_by_architecture(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows as they come, moved only so far that an architecture's models stand together."""
    order = pd.Categorical(summary["architecture"], summary["architecture"].unique())
    return summary.assign(_order=order.codes).sort_values("_order", kind="stable")


def table_of_dice(results: StudyResults) -> pd.DataFrame:
    """Table 2: mean Dice coefficient between the compared models (1 = the same pixels)."""
    return matrix_of_means(results, "dice")


def table_of_hausdorff(results: StudyResults) -> pd.DataFrame:
    """Table 3: mean Hausdorff distance between the compared models, pixels of the common grid."""
    return matrix_of_means(results, "hausdorff")


def matrix_of_means(results: StudyResults, measure: str) -> pd.DataFrame:
    """Means over the labelled images that all compared models get right; the diagonal is empty."""
    models = selection.compared_models(results)
    overlaps = overlaps_all_correct(results, measure)
    means = overlaps.groupby(["model_a", "model_b"])[measure].mean().to_dict()
    values = [[means.get((row, column), means.get((column, row), np.nan)) for column in models] for row in models]
    table = pd.DataFrame(values, columns=models, dtype=float)
    table.insert(0, "Model", models)
    return table


def overlaps_all_correct(results: StudyResults, measure: str) -> pd.DataFrame:
    """The compared models' overlaps on the labelled images that all of them get right."""
    overlaps = selection.compared_overlaps(results, measure)
    return overlaps[overlaps["image"].isin(selection.images_all_correct(results))]


def table_of_statistics(results: StudyResults) -> pd.DataFrame:
    """Every test and contrast, with effect and count beside each p; skipped ones last, with why."""
    skipped = results.statistics["status"] != "ok"
    rows = pd.concat([results.statistics[~skipped], results.statistics[skipped]])
    significant = rows["significant"].astype("boolean")
    rows["significant"] = significant.map({True: "yes", False: "no"}).astype(object)
    rows["significant"] = rows["significant"].where(significant.notna(), "")
    computed = rows["status"] == "ok"
    reason = rows["reason"].fillna("").astype(str)
    rows["test"] = rows["test"].map(test_name)
    rows["effect_name"] = rows["effect_name"].map(effect_name)
    rows["note"] = reason.where(computed, "skipped: " + reason)
    table = rows[list(STATISTICS_HEADINGS)].rename(columns=STATISTICS_HEADINGS)
    return table.reset_index(drop=True)


def table_of_failures(results: StudyResults) -> pd.DataFrame:
    """Every image and model without an MPS, and why; empty when all were found."""
    failed = results.areas[results.areas["status"] != "found"]
    table = failed[list(FAILURE_HEADINGS)].rename(columns=FAILURE_HEADINGS)
    table["Class"] = ["" if pd.isna(target) else results.class_name(target) for target in failed["target"]]
    return table.reset_index(drop=True)


TABLES: dict[str, Callable[[StudyResults], pd.DataFrame]] = {
    "models": table_of_models,
    "dice": table_of_dice,
    "hausdorff": table_of_hausdorff,
    "statistics": table_of_statistics,
    "failures": table_of_failures,
}
