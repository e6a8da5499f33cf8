"""The paper beside a run: what is filled, and when the two are said to agree."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from mps_study.report.facts.results import Origin, StudyResults
from mps_study.report.tables.captions import about_the_paper
from mps_study.report.tables.published import MEASURES, published, table_of_the_paper
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import run_statistics


def table_of(results: StudyResults) -> pd.DataFrame:
    """By place, quantity and subject."""
    return table_of_the_paper(results).set_index(["Where", "Quantity", "Of"]).sort_index()


@pytest.fixture(scope="module")
def tested(large: StudyResults) -> StudyResults:
    frame = run_statistics(large.areas, large.overlaps, large.model_summary, StatisticsConfig(resamples=20))
    return dataclasses.replace(large, statistics=frame)


def test_every_published_number_has_a_row_and_a_rule() -> None:
    numbers = published()
    assert numbers.groupby("place").size().to_dict() == {
        "Table 1": 90, "Table 2": 10, "Table 3": 10, "Table 4": 16, "text": 10,
    }  # fmt: skip
    assert set(numbers["measure"]) == set(MEASURES)
    assert not numbers.duplicated(["place", "measure", "subject"]).any()
    printed = numbers["printed"].str.extract(r"([\d.]+)")[0].astype(float)
    known = numbers["value"].notna()
    assert (printed[known] == numbers["value"][known]).all()


def test_a_run_of_the_papers_models_fills_its_tables_with_the_runs_numbers(tested: StudyResults) -> None:
    table = table_of(tested)
    summary = tested.model_summary.set_index("model")
    row = table.loc[("Table 1", "Incorrect", "vit_large")]
    assert row["This run"] == summary.loc["vit_large", "area_incorrect"]
    assert row["n"] == summary.loc["vit_large", "area_incorrect_n"]
    inside = summary.loc["vit_large", "area_incorrect_low"] <= 0.111 <= summary.loc["vit_large", "area_incorrect_high"]
    assert row["In interval"] == ("yes" if inside else "no")
    assert table.loc["Table 1", "This run"].notna().all()
    assert table.loc[("Table 4", "Accuracy on Caltech-256", "eva_giant"), "This run"] == 0.94
    assert pd.isna(table.loc[("Table 4", "Accuracy on Caltech-256", "vit_huge_v1"), "This run"])


def test_a_pairs_mean_is_that_of_the_two_best_models(tested: StudyResults) -> None:
    best = tested.model_summary[tested.model_summary["best"].astype(bool)].set_index("architecture")["model"]
    pair = " & ".join(sorted([best["EVA"], best["ViT"]]))
    statistics = tested.statistics.set_index(["test", "group", "contrast"])
    mean = statistics.loc[("mean dice", "best models, labelled, correct by all", pair), "effect"]
    assert table_of(tested).loc[("Table 2", "Mean Dice", "EVA & ViT"), "This run"] == mean


def test_direction_is_the_side_of_the_columns_mean(tested: StudyResults) -> None:
    column = table_of(tested).loc[("Table 1", "Correct")]
    paper = column["Paper"].astype(float)
    run = column["This run"].astype(float)
    expected = np.where((paper > paper.mean()) == (run > run.mean()), "yes", "no")
    assert column["Direction agrees"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("effect", "significant", "direction", "significance"),
    [(1.0, True, "yes", "yes"), (1.0, False, "yes", "no"), (-1.0, True, "no", "yes")],
)
def test_an_effect_agrees_in_sign_and_in_significance(
    effect: float, significant: bool, direction: str, significance: str, tested: StudyResults
) -> None:
    statistics = tested.statistics.copy()
    rows = statistics["test"] == "mixed model, random model"
    statistics.loc[rows, ["effect", "significant"]] = [effect, significant]
    table = table_of(dataclasses.replace(tested, statistics=statistics))
    row = table.loc[("text", "Mixed model, what incorrect adds", "all models")]
    assert (row["Direction agrees"], row["Significance agrees"]) == (direction, significance)


def test_a_result_that_is_not_significant_agrees_with_a_published_one_that_is_not(tested: StudyResults) -> None:
    statistics = tested.statistics.copy()
    mine = (statistics["test"] == "friedman") & (statistics["group"] == "Inception models, all images")
    for significant, agrees in ((False, "yes"), (True, "no")):
        statistics.loc[mine, "significant"] = significant
        table = table_of(dataclasses.replace(tested, statistics=statistics))
        assert table.loc[("text", "Friedman p", "Inception models"), "Significance agrees"] == agrees


def test_other_models_of_the_five_architectures_are_compared_in_tests_only(tested: StudyResults) -> None:
    tiny = dict.fromkeys(tested.models(), Origin("vit_tiny_patch16_224", "fine_tuned"))
    table = table_of_the_paper(dataclasses.replace(tested, origins=tiny))
    filled = table[table["This run"].notna()]
    assert set(filled["Where"]) == {"text"} and len(filled) == 8
    assert (filled["In interval"] == "").all()
    assert filled["Note"].str.startswith("other models of the same architectures").all()
    assert filled.set_index("Quantity").loc["Kruskal-Wallis H(4)", "Significance agrees"] == "yes"


def test_random_weights_of_the_papers_models_are_not_the_papers_models(tested: StudyResults) -> None:
    random = {model: Origin(origin.timm, "random:0") for model, origin in tested.origins.items()}
    table = table_of(dataclasses.replace(tested, origins=random))
    assert table.loc["Table 1", "This run"].isna().all()


def test_a_fine_tuned_run_of_the_papers_models_fills_what_belongs_to_caltech(tested: StudyResults) -> None:
    tuned = {model: Origin(origin.timm, "fine_tuned") for model, origin in tested.origins.items()}
    summary = tested.model_summary.assign(fine_tuned_accuracy=tested.model_summary["accuracy"])
    table = table_of(dataclasses.replace(tested, origins=tuned, model_summary=summary))
    assert table.loc["Table 1", "This run"].isna().all()
    assert table.loc[("Table 4", "Accuracy on Caltech-256"), "This run"].notna().all()
    assert table.loc["text"].loc["Mixed model, what incorrect adds on Caltech-256", "This run"].notna().all()
    assert table.loc["text"].loc["Mixed model, what incorrect adds", "This run"].isna().all()


def test_a_run_of_other_architectures_fills_nothing_and_says_so(small: StudyResults) -> None:
    table = table_of_the_paper(small)
    assert table["This run"].isna().all() and (table["Note"] != "").all()
    assert len(table) == len(published())
    assert "No row applies to this run" in about_the_paper(small)
