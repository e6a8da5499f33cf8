from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mps_study.report.facts import selection as rules
from mps_study.report.facts.results import StudyResults
from mps_study.report.tables.all_tables import TABLES

COLUMNS = {
    "models": [
        "Architecture", "Model", "Best", "Accuracy", "Accuracy, low", "Accuracy, high", "Accuracy, n",
        "Area, labelled", "Area, labelled, low", "Area, labelled, high", "Area, labelled, n",
        "Area, correct", "Area, correct, low", "Area, correct, high", "Area, correct, n",
        "Area, incorrect", "Area, incorrect, low", "Area, incorrect, high", "Area, incorrect, n",
        "Area, unlabelled", "Area, unlabelled, low", "Area, unlabelled, high", "Area, unlabelled, n",
        "Area, the paper's Area", "Area, the paper's Mean",
    ],
    "accuracy": [
        "Architecture", "Model", "Weights", "Accuracy", "Accuracy, low", "Accuracy, high", "Accuracy, n",
        "Accuracy, fine-tuned", "Accuracy, held out in fine-tuning", "Best by",
    ],
    "paper": [
        "Where", "Quantity", "Of", "Paper", "This run", "This run, low", "This run, high", "n", "In interval",
        "Direction agrees", "Significance agrees", "Note",
    ],
    "trust": [
        "Architecture", "Model", "Confidence, whole image", "Confidence, set alone", "Survive dilation",
        "Images, dilated", "Images without an answer", "Images without a set", "Evaluations an image",
    ],
    "more_sets": ["Architecture", "Model", "Set", "n", "Area", "Confidence, set alone"],
    "overlaps": [
        "Compared", "Images", "Pair", "n", "Dropped", "Dice", "Dice, low", "Dice, high", "IoU", "IoU, low", "IoU, high",
        "n, distances", "Hausdorff", "Hausdorff, low", "Hausdorff, high", "Hausdorff, share of diagonal",
        "Hausdorff, on the grid", "Centroid distance", "Centroid distance, low", "Centroid distance, high", "Note",
    ],
    "selections": ["Compared", "Selection", "Images", "Images undecided", "Note"],
    "choices": ["Figure", "Image", "Models", "Rule"],
    "statistics": [
        "Test", "Group", "Contrast", "n", "Effect", "Effect, low", "Effect, high", "Effect is",
        "Statistic", "df", "p", "p, Bonferroni", "p, Holm", "Significant", "Dropped", "Note",
    ],
    "failures": ["Image", "Architecture", "Model", "Status", "Reason", "Class", "Evaluations"],
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("study", ["large", "small", "lucky"])
def test_tables_have_their_documented_columns(name: str, study: str, request: pytest.FixtureRequest) -> None:
    assert list(TABLES[name](request.getfixturevalue(study)).columns) == COLUMNS[name]


def test_the_table_of_models_keeps_order_and_puts_architectures_together(
    large: StudyResults,
) -> None:
    table = TABLES["models"](large)
    assert list(table["Model"]) == large.models()
    assert (table["Best"] == "best").sum() == 5


@pytest.mark.parametrize("measure", ["dice", "hausdorff"])
def test_a_matrix_holds_means_over_images_that_all_best_models_get_right(measure: str, large: StudyResults) -> None:
    table = TABLES[measure](large).set_index("Model")
    models = rules.compared_models(large)
    assert list(table.index) == list(table.columns) == models
    right = []
    for image, rows in large.areas[large.areas["model"].isin(models)].groupby("image"):
        if rows["correct"].notna().all() and rows["correct"].all():
            right.append(image)
    one, other = models[1], models[3]
    pair = large.overlaps[
        large.overlaps["image"].isin(right)
        & large.overlaps["model_a"].isin([one, other])
        & large.overlaps["model_b"].isin([one, other])
    ]
    assert table.loc[one, other] == pytest.approx(pair[measure].mean())
    assert table.loc[other, one] == table.loc[one, other]
    assert np.isnan(np.diag(table)).all()


def test_the_failures_table_lists_what_found_no_set_and_why(small: StudyResults, large: StudyResults) -> None:
    table = TABLES["failures"](small)
    assert table[["Image", "Model", "Status"]].to_numpy().tolist() == [["val_0001", "lite1", "unstable"]]
    assert "passed" in table.loc[0, "Reason"]
    assert TABLES["failures"](large).empty


def test_a_skipped_test_says_so_and_why(small: StudyResults) -> None:
    table = TABLES["statistics"](small)
    skipped = table[table["Test"] == "Kruskal–Wallis"].iloc[0]
    assert skipped["Note"].startswith("skipped: 1 architecture")
    assert skipped["Significant"] == "" and pd.isna(skipped["p"])
    assert table["Note"].str.startswith("skipped").is_monotonic_increasing  # results come first
