"""The anytime curves of a store, as a tidy frame."""

import json

import pandas as pd

from mps_study.measures.anytime import AFTER, COLUMNS, measure_anytime

AREAS = pd.DataFrame(
    {
        "image": ["a", "b", "c"],
        "model": ["m"] * 3,
        "architecture": ["A"] * 3,
        "search": ["study"] * 3,
        "half": ["labelled"] * 3,
        "status": ["found", "baseline", "found"],
        "evaluations": [150, 150, 150],
    }
)
CURVE = json.dumps({"shape": [10, 20], "steps": [[1, 200], [40, 100], [100, 50], [140, 20]], "checks": 3})


def test_the_area_after_each_number_of_evaluations():
    records = pd.DataFrame({"image": ["a", "b", "c"], "model": ["m"] * 3, "anytime": [CURVE, CURVE, None]})
    frame = measure_anytime(records, AREAS)
    assert list(frame) == list(COLUMNS)
    assert frame["image"].tolist() == ["a"] * len(AFTER)
    assert frame["evaluations"].tolist() == list(AFTER)
    assert frame["area"].tolist()[:4] == [0.5, 0.25, 0.1, 0.1]
    assert frame["finished"].tolist()[:4] == [False, False, True, True]


def test_without_curves_the_frame_is_empty_and_typed():
    records = pd.DataFrame({"image": ["a"], "model": ["m"], "anytime": [None]})
    frame = measure_anytime(records, AREAS)
    assert frame.empty and {name: str(kind) for name, kind in frame.dtypes.items()} == COLUMNS
