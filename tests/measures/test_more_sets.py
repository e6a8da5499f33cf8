"""Sets at floors and further sets, from the store's JSON to a tidy frame."""

import json

import pandas as pd
import pytest

from mps_study.measures.more_sets import COLUMNS, measure_more_sets


def records(**columns):
    return pd.DataFrame({"image": ["a", "b"], "model": ["m", "m"]} | columns)


AREAS = pd.DataFrame(
    {
        "image": ["a", "b"],
        "model": ["m", "m"],
        "architecture": ["A", "A"],
        "search": ["study", "study"],
        "half": ["labelled", "labelled"],
        "status": ["found", "baseline"],
        "pixels": [10, 10],
        "height": [10, 10],
        "width": [20, 20],
        "confidence": [0.2, 0.2],
        "target_confidence": [0.9, 0.9],
    }
)


def test_the_first_set_stands_among_its_floors_and_among_its_further_sets():
    floors = [{"share": 0.5, "floor": 0.45, "pixels": 20, "confidence": 0.5}]
    further = [{"pixels": 40, "confidence": 0.3}, {"pixels": 60, "confidence": 0.4}]
    frame = measure_more_sets(records(floors=[json.dumps(floors)] * 2, further=[json.dumps(further)] * 2), AREAS)
    assert list(frame) == list(COLUMNS)
    assert set(frame["image"]) == {"a"}  # b has no set of its own
    assert frame.loc[frame["kind"] == "floor", "share"].tolist() == [0.0, 0.5]
    assert frame.loc[frame["kind"] == "floor", "area"].tolist() == [0.05, 0.1]
    assert frame.loc[frame["kind"] == "further", "order"].tolist() == [1, 2, 3]
    assert frame.loc[frame["kind"] == "further", "area"].tolist() == [0.05, 0.2, 0.3]


def test_the_first_set_stands_at_the_floor_that_was_demanded_of_it():
    floors = [{"share": 0.5, "floor": 0.45, "pixels": 20, "confidence": 0.5}]
    stored = records(floors=[json.dumps(floors)] * 2, further=["[]"] * 2)
    frame = measure_more_sets(stored, AREAS, share=0.2, confidence_floor=0.1)
    assert frame["share"].tolist() == [0.2, 0.5]
    assert frame["floor"].tolist() == [pytest.approx(0.18), 0.45]


def test_a_floor_that_no_set_reached_keeps_its_row():
    floors = [{"share": 0.9, "floor": 0.8, "pixels": None, "confidence": None}]
    frame = measure_more_sets(records(floors=[json.dumps(floors)] * 2, further=["[]"] * 2), AREAS)
    assert frame["area"].isna().tolist() == [False, True]


def test_a_floor_before_which_the_budget_was_spent_says_so():
    nothing = {"pixels": None, "confidence": None}
    floors = [{"share": 0.8, "floor": 0.7} | nothing, {"share": 0.9, "floor": 0.8, "asked": False} | nothing]
    frame = measure_more_sets(records(floors=[json.dumps(floors)] * 2, further=["[]"] * 2), AREAS)
    assert frame["missing"].tolist() == ["", "no set passed", "the budget was spent"]
    assert frame["area"].isna().tolist() == [False, True, True]


def test_without_more_sets_the_frame_is_empty_and_typed():
    frame = measure_more_sets(records(floors=["[]"] * 2, further=["[]", None]), AREAS)
    assert frame.empty and frame["pixels"].dtype == "Int64"
