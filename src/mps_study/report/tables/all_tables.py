"""The report's tables: frames with headings for people, numbers still numbers.

A mean is followed by its interval and count in columns of the same heading with `, low`, `, high` and `, n`; HTML and
LaTeX fold them into one cell, a CSV keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from mps_study.report.facts import selection
from mps_study.report.facts.both_classes import asks_for_labels
from mps_study.report.facts.results import NothingToShow, Origin, StudyResults
from mps_study.report.facts.statistics_rows import effect_name, test_name
from mps_study.report.tables.methods import table_of_methods
from mps_study.report.tables.overlap import (
    CHOSEN,
    table_of_dice,
    table_of_hausdorff,
    table_of_overlaps,
    table_of_selections,
)
from mps_study.report.tables.published import table_of_the_paper
from mps_study.report.tables.searches import table_of_both_classes, table_of_search_differences, table_of_searches
from mps_study.report.tables.trust import MODELS_TABLES, TRUST_TABLES

SUMMARY_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "best": "Best",
    "accuracy": "Accuracy",
    "area_labelled": "Area, labelled",
    "area_correct": "Area, correct",
    "area_incorrect": "Area, incorrect",
    "area_unlabelled": "Area, unlabelled",
    "area_paper_area": "Area, the paper's Area",
    "area_paper_mean": "Area, the paper's Mean",
}
INTERVALS = ("accuracy", "area_labelled", "area_correct", "area_incorrect", "area_unlabelled")
COUNTED = {"accuracy": "n_labelled"} | {name: f"{name}_n" for name in INTERVALS[1:]}

ACCURACY_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "accuracy": "Accuracy",
    "fine_tuned_accuracy": "Accuracy, fine-tuned",
    "best_by": "Best by",
}
TRUST_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "target_confidence": "Confidence, whole image",
    "confidence": "Confidence, set alone",
    "dilation_survival": "Survive dilation",
    "dilation_n": "Images, dilated",
    "n_unanswered": "Images without an answer",
    "n_not_found": "Images without a set",
    "evaluations": "Evaluations an image",
}

MORE_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "demanded": "Set",
    "n": "n",
    "area": "Area",
    "confidence": "Confidence, set alone",
}

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

DESCRIBED = ("mean ", CHOSEN)

FAILURE_HEADINGS = {
    "image": "Image",
    "architecture": "Architecture",
    "model": "Model",
    "status": "Status",
    "reason": "Reason",
    "target": "Class",
    "evaluations": "Evaluations",
}


def table_of_models(results: StudyResults) -> pd.DataFrame:
    """Table 1: sizes and accuracy, one row a model, an architecture's models together."""
    table = _renamed(grouped_by_architecture(results.model_summary), SUMMARY_HEADINGS, INTERVALS)
    table["Best"] = table["Best"].astype("boolean").fillna(False).map({True: "best", False: ""})
    return table


def grouped_by_architecture(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows as they come, moved only so far that an architecture's models stand together."""
    order = pd.Categorical(summary["architecture"], summary["architecture"].unique())
    return summary.assign(_order=order.codes).sort_values("_order", kind="stable")


def table_of_accuracy(results: StudyResults) -> pd.DataFrame:
    """Table 4: accuracy as trained and after fine-tuning, and what decided which model is the best."""
    summary = grouped_by_architecture(results.model_summary)
    table = _renamed(summary, ACCURACY_HEADINGS, ("accuracy",))
    origins = [results.origins.get(str(model), Origin()) for model in summary["model"]]
    place = list(table).index("Accuracy, fine-tuned") + 1
    held_out = [np.nan if one.holdout_accuracy is None else one.holdout_accuracy for one in origins]
    table.insert(place, "Accuracy, held out in fine-tuning", held_out)
    table.insert(2, "Weights", [" ".join(filter(None, (one.timm, one.weights))) for one in origins])
    return table


def table_of_trust(results: StudyResults) -> pd.DataFrame:
    """How sure each model is of its sets, and whether they survive a one-pixel dilation."""
    return _renamed(grouped_by_architecture(results.model_summary), TRUST_HEADINGS)


def table_of_more_sets(results: StudyResults) -> pd.DataFrame:
    """Sizes at each confidence floor, and of each further set of an image, in the order in which they were found."""
    sets = results.more_sets
    if sets.empty:
        return pd.DataFrame(columns=list(MORE_HEADINGS.values()))
    floor = "confidence of at least " + sets["share"].map("{:g}".format) + " of the original"
    floor = floor.where(sets["share"] != 0, "the confidence floor").where(sets["floor"] != 0, "the class alone")
    number = "set number " + sets["order"].astype("string")
    sets = sets.assign(
        demanded=floor.where(sets["kind"] == "floor", number),
        model_order=sets["model"].map({model: i for i, model in enumerate(results.models())}),
    )
    by = ["model_order", "architecture", "model", "kind", "share", "order", "demanded"]
    means = sets.groupby(by, dropna=False, observed=True).agg(
        n=("area", "count"), area=("area", "mean"), confidence=("confidence", "mean")
    )
    return means.reset_index()[list(MORE_HEADINGS)].rename(columns=MORE_HEADINGS)


def table_of_choices(results: StudyResults) -> pd.DataFrame:
    """Which image each figure shows, through which models, and by which rule."""
    rows = []
    for figure in selection.CHOICES:
        try:
            choice = selection.choose(results, figure)
            rows.append((figure, choice.image, ", ".join(choice.models), choice.rule))
        except NothingToShow as nothing:
            rows.append((figure, "", "", nothing.reason))
    return pd.DataFrame(rows, columns=["Figure", "Image", "Models", "Rule"])


def _renamed(summary: pd.DataFrame, headings: dict[str, str], intervals: tuple[str, ...] = ()) -> pd.DataFrame:
    """The columns that have headings; after each mean that has one, its interval and what it counts."""
    columns: dict[str, str] = {}
    for column, heading in headings.items():
        columns[column] = heading
        if column in intervals:
            columns |= {f"{column}_{end}": f"{heading}, {end}" for end in ("low", "high")}
            columns[COUNTED[column]] = f"{heading}, n"
    return summary[list(columns)].rename(columns=columns).reset_index(drop=True)


def table_of_statistics(results: StudyResults) -> pd.DataFrame:
    """Every test and contrast, with effect and count beside each p; skipped ones last, with why.

    Descriptions without a p, means of overlaps and counts of images, have tables of their own.
    """
    tests = results.statistics[~results.statistics["test"].str.startswith(DESCRIBED)]
    skipped = tests["status"] != "ok"
    rows = pd.concat([tests[~skipped], tests[skipped]])
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
    "accuracy": table_of_accuracy,
    "paper": table_of_the_paper,
    "trust": table_of_trust,
    "more_sets": table_of_more_sets,
    "overlaps": table_of_overlaps,
    "selections": table_of_selections,
    "choices": table_of_choices,
    "statistics": table_of_statistics,
    "failures": table_of_failures,
}
"""In the order in which they are numbered; the first four are the paper's Tables 1 to 4."""

SEARCH_TABLES: dict[str, Callable[[StudyResults], pd.DataFrame]] = {
    "searches": table_of_searches,
    "search_differences": table_of_search_differences,
    "methods": table_of_methods,
    "both_classes": table_of_both_classes,
}
"""Those of a study with more than one search, numbered after all others; the last where one asks for the labels."""


def tables_of(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Every table that this study has, by name."""
    registry = TABLES | ({} if results.searches is None else SEARCH_TABLES)
    registry |= TRUST_TABLES | MODELS_TABLES if len(results.trust) else {}
    shown = registry.keys() - (set() if asks_for_labels(results) else {"both_classes"})
    return {name: table(results) for name, table in registry.items() if name in shown}
