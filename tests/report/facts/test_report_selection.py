from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from mps_study.report.facts import selection as rules
from mps_study.report.facts.results import StudyResults
from mps_study.report.tables.all_tables import TABLES


def by_image(results: StudyResults) -> dict[str, pd.DataFrame]:
    """The slow twin's view: each image's rows of the compared models."""
    models = rules.compared_models(results)
    areas = results.areas[results.areas["model"].isin(models)]
    return {str(image): rows for image, rows in areas.groupby("image")}


def test_the_best_model_of_each_architecture_is_compared(large: StudyResults) -> None:
    summary = large.model_summary.set_index("model")
    models = rules.compared_models(large)
    assert [summary.loc[model, "architecture"] for model in models] == large.architectures()
    assert summary.loc[models, "best"].all()


def test_with_one_architecture_all_its_models_are_compared(small: StudyResults) -> None:
    assert rules.compared_models(small) == ["lite0", "lite1", "lite2"]
    assert rules.compared_in_words(small) == "the 3 models"


def test_the_gallery_shows_the_widest_gap_among_images_of_one_class(large: StudyResults) -> None:
    gaps = {
        image: np.ptp(rows["area"])
        for image, rows in by_image(large).items()
        if rows["target"].nunique() == 1 and (rows["status"] == "found").all()
    }
    choice = rules.area_varies_most(large)
    assert choice.image == max(gaps, key=lambda image: gaps[image])
    assert str(len(gaps)) in choice.rule


def test_no_compared_pair_lies_further_apart_than_the_one_shown(large: StudyResults) -> None:
    choice = rules.largest_hausdorff(large)
    row = rules.overlap_of(large.overlaps, choice.image, *choice.models)
    models = set(rules.compared_models(large))
    for _, other in large.overlaps.iterrows():
        if {other["model_a"], other["model_b"]} <= models:
            assert not other["hausdorff"] > row["hausdorff"]
    assert len(set(choice.models)) == 2


def test_an_infinite_distance_is_not_the_largest(large: StudyResults) -> None:
    overlaps = large.overlaps.copy()
    before = rules.largest_hausdorff(large)
    overlaps.loc[overlaps["image"] != before.image, "hausdorff"] = np.inf
    after = rules.largest_hausdorff(dataclasses.replace(large, overlaps=overlaps))
    assert (after.image, after.models) == (before.image, before.models)


def test_the_image_wrong_alike_is_wrong_by_all_with_one_answer(large: StudyResults) -> None:
    rows = by_image(large)[rules.all_wrong_alike(large).image]
    assert not rows["correct"].any() and rows["target"].nunique() == 1


def test_no_disputed_image_has_more_answers_than_the_one_shown(large: StudyResults) -> None:
    answers = {
        image: rows["target"].nunique()
        for image, rows in by_image(large).items()
        if rows["correct"].notna().all() and 0 < rows["correct"].sum() < len(rows)
    }
    assert rules.most_disputed(large).image == max(answers, key=lambda image: answers[image])


def test_the_typical_case_is_nearest_the_median_of_those_with_a_map(large: StudyResults) -> None:
    alone = dataclasses.replace(large, several=lambda image, model: ())
    choice = rules.typical_with_landscape(alone)
    model = choice.models[0]
    areas = large.areas[large.areas["model"] == model].set_index("image")["area"]
    distance = (areas - areas.median()).abs()
    stored = [image for image in areas.index if large.landscape(image, model) is not None]
    assert choice.image == distance[stored].idxmin()


def test_an_image_with_several_sets_comes_before_a_more_typical_one(large: StudyResults) -> None:
    choice = rules.typical_with_landscape(large)
    assert large.several(choice.image, choice.models[0])
    assert "several MPSs" in choice.rule


@pytest.mark.parametrize("figure", rules.CHOICES)
def test_an_image_named_by_hand_is_shown_and_recorded(figure: str, large: StudyResults) -> None:
    results = dataclasses.replace(large, figure_images={figure: "val_0003"})
    choice = rules.choose(results, figure)
    assert choice.image == "val_0003" and f"figure_images.{figure}" in choice.rule
    shown = TABLES["choices"](results).set_index("Figure")
    assert shown.loc[figure, "Image"] == "val_0003"
    others = shown.drop(index=figure)
    assert others.equals(TABLES["choices"](large).set_index("Figure").drop(index=figure))


@pytest.mark.parametrize("study", ["large", "small"])
def test_the_order_of_rows_changes_no_choice(study: str, request: pytest.FixtureRequest) -> None:
    results = request.getfixturevalue(study)
    shuffled = dataclasses.replace(
        results,
        areas=results.areas.sample(frac=1, random_state=1),
        overlaps=results.overlaps.sample(frac=1, random_state=2),
    )
    for figure in rules.CHOICES:
        assert rules.choose(results, figure) == rules.choose(shuffled, figure)
