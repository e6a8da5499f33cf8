import pandas as pd
import pytest
from study_frames import typed_areas

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.counts import selection_sizes
from mps_study.stats.samples.selections import SELECTIONS, answers, select

# image: half, and the answers of models a, b, c, d; the label is 1; None: no row
STUDY = {
    "right": ("labelled", (1, 1, 1, 1)),
    "one_wrong": ("labelled", (1, 1, 1, 2)),
    "all_wrong": ("labelled", (2, 2, 3, 3)),
    "same_wrong": ("labelled", (2, 2, 2, 2)),
    "hole": ("labelled", (1, 1, 1, None)),
    "agreed": ("unlabelled", (5, 5, 5, 5)),
    "outvoted": ("unlabelled", (5, 5, 5, 6)),
    "tied": ("unlabelled", (5, 5, 6, 6)),
    "scattered": ("unlabelled", (5, 6, 7, 8)),
    "plurality": ("unlabelled", (5, 5, 6, 7)),
}


def study_areas() -> pd.DataFrame:
    rows = [
        {
            "image": image,
            "model": model,
            "half": half,
            "label": 1 if half == "labelled" else None,
            "target": target,
            "correct": target == 1 if half == "labelled" else None,
            "area": 0.1,
        }
        for image, (half, targets) in STUDY.items()
        for model, target in zip("abcd", targets, strict=True)
        if target is not None
    ]
    return typed_areas(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("selection", "chosen", "undecided"),
    [
        ("all images", set(STUDY), set()),
        ("labelled", {"right", "one_wrong", "all_wrong", "same_wrong", "hole"}, set()),
        ("labelled, correct by all", {"right"}, {"hole"}),
        (
            "labelled, wrong by at least one",
            {"one_wrong", "all_wrong", "same_wrong"},
            {"hole"},
        ),
        ("labelled, wrong by all", {"all_wrong", "same_wrong"}, {"hole"}),
        ("labelled, same wrong answer by all", {"same_wrong"}, {"hole"}),
        ("unlabelled", {"agreed", "outvoted", "tied", "scattered", "plurality"}, set()),
        ("unlabelled, same answer by all", {"agreed"}, set()),
        ("unlabelled, outvoted at least one", {"outvoted", "plurality"}, {"tied", "scattered"}),
    ],
)
def test_a_selection_chooses_these_images(selection: str, chosen: set[str], undecided: set[str]) -> None:
    got = select(answers(study_areas(), list("abcd")), selection)
    assert set(got.index[got.fillna(False)]) == chosen
    assert set(got.index[got.isna()]) == undecided


def test_every_selection_is_covered_above() -> None:
    assert len(SELECTIONS) == 9


def test_only_the_compared_models_have_a_say() -> None:
    got = select(answers(study_areas(), list("abc")), "labelled, correct by all")
    assert set(got.index[got.fillna(False)]) == {"right", "one_wrong", "hole"}


def test_ties_of_the_majority_vote_are_dropped_and_counted() -> None:
    areas = study_areas().assign(architecture="x", status="found")
    summary = pd.DataFrame({"model": list("abcd"), "best": [True, True, True, True]})
    counts = selection_sizes(areas, pd.DataFrame(), summary, StatisticsConfig())
    row = counts.set_index("group").loc["best models, unlabelled, outvoted at least one"]
    assert (row["n"], row["dropped"]) == (2, 2)
    assert row["reason"] == "2 with a tied vote left out"
    assert row["effect"] == 2 / len(STUDY)
    row = counts.set_index("group").loc["best models, labelled, correct by all"]
    assert (row["n"], row["dropped"], row["reason"]) == (1, 1, "1 without an answer from each model left out")


def test_a_missing_answer_is_not_a_tie() -> None:
    areas = study_areas().assign(architecture="x", status="found")
    areas = areas[~((areas["image"] == "tied") & (areas["model"] == "d"))]
    summary = pd.DataFrame({"model": list("abcd"), "best": [True, True, True, True]})
    counts = selection_sizes(areas, pd.DataFrame(), summary, StatisticsConfig()).set_index("group")
    row = counts.loc["best models, unlabelled, outvoted at least one"]
    assert row["reason"] == "1 with a tied vote and 1 without an answer from each model left out"
