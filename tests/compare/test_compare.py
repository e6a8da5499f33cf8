"""Areas, the common frame, overlaps and summaries against slow twins and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import directed_hausdorff

from mps_study.compare.areas import measure_areas
from mps_study.compare.frame import common_field, on_grid
from mps_study.compare.overlap import Seen, dice, hausdorff, iou, measure_overlaps
from mps_study.compare.summary import mean_interval, summarise_models

MASKS = arrays(bool, (9, 11))


@given(MASKS, MASKS)
def test_hausdorff_is_scipys(a, b):
    if a.any() and b.any():
        slow = max(directed_hausdorff(*pair)[0] for pair in ((np.argwhere(a), np.argwhere(b)),))
        back = directed_hausdorff(np.argwhere(b), np.argwhere(a))[0]
        assert hausdorff(a, b) == pytest.approx(max(slow, back))
    else:
        assert hausdorff(a, b) == (0.0 if a.any() == b.any() else np.inf)


@given(MASKS, MASKS)
def test_dice_and_iou_follow_their_definitions(a, b):
    both, either = (a & b).sum(), (a | b).sum()
    assert iou(a, b) == (both / either if either else 1.0)
    assert dice(a, b) == pytest.approx(2 * iou(a, b) / (1 + iou(a, b)))


def test_a_mask_lands_where_its_model_saw_it():
    """Two models see different parts of one image; the same object lies at the same place of the grid."""
    world = np.zeros((400, 600), bool)
    world[150:210, 250:370] = True
    views = [(0.0, 100.0, 400.0, 500.0), (50.0, 150.0, 350.0, 450.0)]
    sizes = [200, 450]
    grids = []
    field = common_field(*views)
    assert field == views[1]
    for view, size in zip(views, sizes, strict=True):
        top, left, bottom, right = view
        rows = (top + (np.arange(size) + 0.5) / size * (bottom - top)).astype(int)
        columns = (left + (np.arange(size) + 0.5) / size * (right - left)).astype(int)
        grids.append(on_grid(world[np.ix_(rows, columns)], view, field))
    assert dice(*grids) > 0.97
    expected = (60 * 120) / (300 * 300)
    assert grids[1].mean() == pytest.approx(expected, rel=0.03)


def test_views_that_do_not_meet_have_no_common_field():
    assert common_field((0, 0, 10, 10), (20, 0, 30, 10)) is None


@pytest.mark.parametrize("size", [224, 512, 560])
def test_a_single_pixel_is_never_lost_between_the_grids_cells(size):
    for row, column in ((0, 0), (size // 2, size // 3), (size - 1, size - 1), (101, 57)):
        mask = np.zeros((size, size), bool)
        mask[row, column] = True
        view = (0.0, 0.0, 300.0, 300.0)
        grid = on_grid(mask, view, view)
        assert grid.sum() == 1
        where = np.argwhere(grid)[0] / 224
        assert np.abs(where - np.array([row, column]) / size).max() < 2 / 224


def records():
    """Two models on three images; one image has no set from the second model."""
    rows = [
        ("a", "m1", "found", 3, 25, 0.5),
        ("b", "m1", "found", 4, 50, 0.6),
        ("c", "m1", "found", 9, 10, 0.7),
        ("a", "m2", "found", 3, 50, 0.5),
        ("b", "m2", "failed", -1, None, np.nan),
        ("c", "m2", "baseline", 9, 10, 0.9),
    ]
    frame = pd.DataFrame(rows, columns=["image", "model", "status", "target", "pixels", "confidence"])
    return frame.assign(fingerprint="f", reason="", target_confidence=0.9, height=10, width=10, calls=5, evaluations=8)


MANIFEST = pd.DataFrame(
    {"image": ["c", "a", "b"], "half": ["unlabelled", "labelled", "labelled"], "label": [pd.NA, 3, 3]}
)


def areas():
    """The areas frame of `records`."""
    return measure_areas(records(), MANIFEST, {"m2": "B", "m1": "A"})


def test_areas_are_ratios_in_the_order_of_roster_and_manifest():
    frame = areas()
    assert frame["model"].tolist() == ["m2"] * 3 + ["m1"] * 3
    assert frame["image"].tolist() == ["c", "a", "b"] * 2
    assert frame["area"].tolist()[:2] == [0.1, 0.5]
    assert np.isnan(frame["area"].iloc[2])
    assert frame["correct"].tolist()[3:] == [pd.NA, True, False]


def test_overlaps_keep_a_row_for_every_pair_and_say_what_is_missing():
    left, right = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    left[:, :5], right[:, 3:8] = True, True
    view = (0.0, 0.0, 10.0, 10.0)
    masks = {"a": {"m1": Seen(left, view), "m2": Seen(right, view)}, "b": {"m1": Seen(left, view)}, "c": {}}
    frame = measure_overlaps(areas(), masks.__getitem__).set_index("image")
    assert frame["status"].to_dict() == {"a": "ok", "b": "missing", "c": "missing"}
    assert frame.loc["a", "dice"] == pytest.approx(0.4, abs=0.02)
    assert frame.loc["a", "centroid_distance"] == pytest.approx(3 * 22.4, abs=1)
    assert frame.loc["a", "hausdorff_ratio"] == pytest.approx(frame.loc["a", "hausdorff"] / np.hypot(224, 224))
    assert np.isnan(frame.loc["b", "dice"])


def test_the_summary_counts_what_was_found_and_marks_the_best():
    summary = summarise_models(areas()).set_index("model")
    m1, m2 = summary.loc["m1"], summary.loc["m2"]
    assert (m1["n_labelled"], m1["n_correct"], m1["accuracy"]) == (2, 1, 0.5)
    assert (m1["area_correct"], m1["area_incorrect"], m1["area_labelled"]) == (0.25, 0.5, 0.375)
    assert m1["area_paper_mean"] == pytest.approx((0.375 + 0.25 + 0.5 + 0.1) / 4)
    assert np.isnan(m2["area_unlabelled"])  # the baseline alone gives the class: not a set that was found
    assert m2["n_not_found"] == 2
    assert summary["best"].all()  # one model an architecture


def test_the_best_model_is_the_most_accurate_and_ties_go_by_name():
    frame = areas().assign(architecture="A")
    tied = pd.concat([frame[frame["model"] == "m1"], frame[frame["model"] == "m1"].assign(model="m0")])
    assert summarise_models(tied).set_index("model")["best"].to_dict() == {"m1": False, "m0": True}


def test_an_area_that_the_paper_calls_area_is_the_accuracy_weighted_mean():
    """Area = accuracy * Correct + (1 - accuracy) * Incorrect in all 15 rows of the paper's Table 1."""
    rows = [(0.075, 0.122, 0.880, 0.081), (0.246, 0.265, 0.814, 0.25), (0.13, 0.155, 0.828, 0.134)]
    for correct, incorrect, accuracy, area in rows:
        assert accuracy * correct + (1 - accuracy) * incorrect == pytest.approx(area, abs=0.0006)


def test_intervals_of_a_mean_cover_it_and_degenerate_cases_are_defined():
    values = np.random.default_rng(0).gamma(1, 0.1, 80)
    low, high = mean_interval(values, 500, [0])
    assert low < values.mean() < high
    assert all(np.isnan(mean_interval(values[:1], 500, [0])))
    assert mean_interval(np.full(5, 0.2), 500, [0]) == (0.2, 0.2)
