"""What an image is expected to cost: the nearest records first, then the documented figures, and never a guess."""

import pytest

from mps_study.mps.config import SearchConfig
from mps_study.project.expected import Known, default_evaluations, expected_bytes, expected_evaluations

REX = SearchConfig(iterations=5)


def known(model, evaluations, search=REX, size=1000):
    """Records of a model whose digest is its name."""
    return Known(model, model, search.identity(), evaluations, size)


def test_records_of_the_same_model_and_search_come_before_all_others():
    sets = [known("a", [100, 300]), known("b", [5000]), known("a", [9], SearchConfig(iterations=20))]
    figure = expected_evaluations(REX, "a", sets)
    assert (figure.value, figure.origin) == (200, "records")
    assert (figure.low, figure.high) == (0, 400)  # two standard errors of 100 each
    assert figure.note == "this model and search: 2 images"


def test_then_the_same_search_of_other_models_with_the_range_of_their_means():
    figure = expected_evaluations(REX, "new", [known("a", [100, 300]), known("b", [500]), known("c", [])])
    assert (figure.low, figure.value, figure.high, figure.origin) == (200, 350, 500, "records")
    assert figure.note == "this search of other models: 3 images of 2 models"


def test_then_a_search_that_costs_alike_but_not_one_that_does_not():
    alike, dearer = SearchConfig(iterations=5, seed=7, keep_landscape=True), SearchConfig(iterations=6)
    assert expected_evaluations(REX, None, [known("a", [70], alike)]).value == 70
    mine = expected_evaluations(REX, "a", [known("a", [70], alike), known("b", [90])])
    assert (mine.value, mine.note) == (
        70,
        "this model, a search that costs alike: 1 images",
    )  # a seed tells less than a model
    assert expected_evaluations(REX, None, [known("a", [70], dearer)]).origin == "default"


@pytest.mark.parametrize(
    ("search", "value"),
    [
        (SearchConfig(), 2260),
        (SearchConfig(iterations=5), 1090),
        (SearchConfig(cuts="fraction", floors=[0.5, 0.9]), 3390),
        (SearchConfig(minimum_confidence_threshold=0.5), 2757),
        (SearchConfig("minimal"), 760),
        (SearchConfig("minimal", minimum_confidence_threshold=0.9), 1950),
        (SearchConfig("minimal", granularity=8, minimum_confidence_threshold=0.5), 735),
        (SearchConfig("minimal", budget=500), 500),
        (SearchConfig("group_testing"), 600),
        (SearchConfig("group_testing", minimum_confidence_threshold=0.5), 960),
    ],
)
def test_documented_figures(search, value):
    figure = expected_evaluations(search, None, [])
    assert figure.origin == "default"
    assert figure.value == pytest.approx(value, abs=1)
    assert figure.low <= figure.value <= figure.high


@pytest.mark.parametrize(
    "search",
    [
        SearchConfig("contrastive"),
        SearchConfig(tree_depth=3),
        SearchConfig(ranking="random"),
        SearchConfig("minimal", granularity=16),
        SearchConfig("group_testing", minimum_confidence_threshold=0.9),
        SearchConfig(several=3),
        SearchConfig(baseline="mean"),
    ],
)
def test_what_was_never_measured_is_unknown_and_says_what_would_tell(search):
    figure = default_evaluations(search)
    assert figure.value is None and figure.origin == "unknown"
    assert "records of a few images tell" in figure.note


def test_bytes_of_a_record_are_those_of_others_or_at_most_what_is_not_compressed():
    assert expected_bytes(REX, 64, "a", [known("a", [1, 1], size=500)]).value == 250
    most = expected_bytes(SearchConfig(keep_landscape=True, floors=[0.5]), 800, "a", [])
    assert (most.value, most.low) == (2 * 100 + 3200 + 4096, 0)
    assert expected_bytes(REX, None, None, []).value is None
