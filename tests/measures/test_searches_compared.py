"""Searches side by side: their summaries, and how far two sets of one model overlap."""

import numpy as np
import pandas as pd
import pytest

from mps_study.measures.searches import OVERLAP_COLUMNS, measure_search_overlaps, summarise_searches
from mps_study.measures.summary import mean_interval
from mps_study.mps.types import STATUSES

RANDOM = np.random.default_rng(0)
SETS = {
    (model, search): {image: RANDOM.random((7, 9)) < 0.4 for image in ("a", "b", "c")}
    for model in ("m1", "m2")
    for search in ("study", "minimal", "blurred")
}
del SETS["m2", "minimal"]["b"]
del SETS["m1", "blurred"], SETS["m2", "blurred"]


def areas():
    rows = [
        {
            "image": image,
            "model": model,
            "architecture": "A",
            "search": search,
            "fingerprint": f"{model} {search}",
            "status": "found" if image in sets else "unstable",
            "area": sets[image].mean() if image in sets else np.nan,
            "confidence": 0.25 if image in sets else np.nan,
            "target_confidence": 0.75,
            "dilation_survives": image == "a" if image in sets else pd.NA,
            "evaluations": 100 if search == "study" else 30,
        }
        for (model, search), sets in SETS.items()
        for image in ("a", "b", "c")
    ]
    return pd.DataFrame(rows).astype({"dilation_survives": "boolean"})


def packed(model, fingerprint):
    assert fingerprint.startswith(f"{model} ")
    return {image: np.packbits(mask) for image, mask in SETS[tuple(fingerprint.split())].items()}


def test_a_summary_is_the_means_of_a_model_and_search_over_what_was_found():
    summary = summarise_searches(areas(), resamples=99, seed=1).set_index(["model", "search"])
    assert list(summary.index) == [("m1", "study"), ("m1", "minimal"), ("m2", "study"), ("m2", "minimal")]
    row, shares = summary.loc[("m2", "minimal")], [SETS["m2", "minimal"][image].mean() for image in ("a", "c")]
    assert row["area"] == pytest.approx(np.mean(shares))
    assert (row["area_low"], row["area_high"]) == mean_interval(np.array(shares), 99, [1, 3])
    assert (row["area_n"], row["n_not_found"]) == (2, 1)
    assert (row["found"], row["unstable"]) == (2, 1)
    assert set(STATUSES) <= set(summary)
    assert (row["confidence"], row["target_confidence"], row["dilation_survival"]) == (0.25, 0.75, 0.5)
    assert summary["evaluations"].tolist() == [100, 30, 100, 30]


def test_a_set_where_the_baseline_has_the_class_is_in_no_mean():
    rows = areas().query("model == 'm1' and search == 'study'")
    alone = summarise_searches(rows[rows["image"] != "c"])
    summary = summarise_searches(rows.assign(status=rows["status"].where(rows["image"] != "c", "baseline")))
    assert summary["area"][0] == alone["area"][0] and summary["area_n"][0] == 2
    assert (summary["n_not_found"][0], summary["baseline"][0]) == (1, 1)


def test_overlaps_are_those_of_a_plain_count_of_pixels():
    frame = measure_search_overlaps(areas(), packed)
    assert list(frame) == list(OVERLAP_COLUMNS)
    assert len(frame) == 6 and set(frame["search_a"]) == {"study"} and set(frame["search_b"]) == {"minimal"}
    for row in frame.to_dict("records"):
        one, other = (SETS[row["model"], row[search]].get(row["image"]) for search in ("search_a", "search_b"))
        if other is None:
            assert row["status"] == "missing" and np.isnan(row["dice"]) and np.isnan(row["iou"])
            continue
        kept, also = set(zip(*np.nonzero(one), strict=True)), set(zip(*np.nonzero(other), strict=True))
        assert row["dice"] == 2 * len(kept & also) / (len(kept) + len(also))
        assert row["iou"] == len(kept & also) / len(kept | also)


def test_two_empty_sets_are_the_same():
    nothing = {image: np.packbits(np.zeros((7, 9), dtype=bool)) for image in ("a", "b", "c")}
    frame = measure_search_overlaps(areas(), lambda *_: nothing)
    assert (frame["dice"] == 1).all() and (frame["iou"] == 1).all()


def test_a_study_of_one_search_has_no_overlaps_but_their_columns():
    frame = measure_search_overlaps(areas().query("search == 'study'"), packed)
    assert frame.empty and list(frame) == list(OVERLAP_COLUMNS)


def test_no_more_than_one_models_sets_are_asked_for_at_a_time():
    asked = []
    measure_search_overlaps(areas(), lambda *about: asked.append(about[0]) or packed(*about))
    assert asked == ["m1", "m1", "m2", "m2"]
