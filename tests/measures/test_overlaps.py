"""The common field, and overlaps on it, against the definitions followed step by step."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import distance_transform_edt

from mps_study.measures.frame import common_field, on_grid
from mps_study.measures.overlap import Seen, measure_overlaps
from mps_study.mps.several import dice

WIDTH, HEIGHT = 500, 375
SQUASH = (0.0, 0.0, 375.0, 500.0)
CROPS = {0.875: (23.1, 85.9, 351.9, 415.2), 0.95: (9.6, 70.3, 367.0, 428.1), 1.0: (0.0, 62.5, 375.0, 437.5)}
MODELS = {
    "convnext": (384, SQUASH), "eva": (560, SQUASH), "vit": (336, SQUASH), "resnet": (224, CROPS[0.95]),
    "inception": (299, CROPS[0.875]), "vit_huge": (224, CROPS[1.0]),
}  # fmt: skip
"""Side of the input, and what the model sees of an image of 500 x 375."""


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


@pytest.mark.parametrize("other", [(10, 0, 20, 10), (0, 10, 10, 20), (10, 10, 20, 20)])
def test_views_that_only_touch_have_no_common_field(other):
    assert common_field((0, 0, 10, 10), other) is None and common_field(other, (0, 0, 10, 10)) is None


def test_a_cell_is_what_the_mask_says_at_its_centre():
    middle, view = np.zeros((12, 12), bool), (0.0, 0.0, 12.0, 12.0)
    middle[1::3, 1::3] = True
    assert on_grid(middle, view, view, grid=4).all()
    corners = ~middle
    corners[4, 7] = True  # the middle of one cell
    assert np.argwhere(on_grid(corners, view, view, grid=4)).tolist() == [[1, 2]]


def test_a_pixel_between_the_centres_keeps_the_cell_that_holds_its_own():
    mask, view = np.zeros((9, 9), bool), (0.0, 0.0, 9.0, 9.0)
    mask[2, 0] = True  # centre at (2.5, 0.5); cells of 2.25
    assert np.argwhere(on_grid(mask, view, view, grid=4)).tolist() == [[1, 0]]


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


def areas_of(models, images="a"):
    """An areas frame of labelled images, all models right but the last."""
    rows = [(image, model, model[:3], "labelled", 3, model != list(models)[-1]) for model in models for image in images]
    frame = pd.DataFrame(rows, columns=["image", "model", "architecture", "half", "target", "correct"])
    return frame.astype({"target": "Int64", "correct": "boolean"})


def manifest_of(images="a", width=WIDTH, height=HEIGHT):
    return pd.DataFrame({"image": list(images), "width": width, "height": height})


def overlaps(masks, models, images="a", **size):
    return measure_overlaps(areas_of(models, images), manifest_of(images, **size), masks.__getitem__)


def as_seen(world, side, view):
    """What a model of this input size and view keeps of a set (h, w) of the source image."""
    rows, columns = (
        np.floor(view[axis] + (np.arange(side) + 0.5) / side * (view[axis + 2] - view[axis])).astype(int)
        for axis in (0, 1)
    )
    return Seen(world[np.ix_(rows, columns)], view)


@pytest.mark.parametrize(("down", "across"), [(0, 60), (60, 0), (36, 48)])
def test_regions_60_source_pixels_apart_are_60_apart_for_every_two_models(down, across):
    """Side by side, one below the other, askew: whether two models squash or crop, within their own resolution."""
    left, right = np.zeros((2, HEIGHT, WIDTH), bool)
    left[120:180, 180:240] = True
    right[120 + down : 180 + down, 180 + across : 240 + across] = True
    seen = {name: [as_seen(world, *model) for world in (left, right)] for name, model in MODELS.items()}
    for a, b in combinations(MODELS, 2):
        for one, other in ((0, 1), (1, 0)):
            frame = overlaps({"a": {a: seen[a][one], b: seen[b][other]}}, [a, b])
            row = frame.iloc[0]
            assert row["hausdorff"] == pytest.approx(60, abs=2.5), (a, b)  # a cell and a pixel of either mask
            assert row["centroid_distance"] == pytest.approx(60, abs=2.5), (a, b)
            assert row["hausdorff_ratio"] == row["hausdorff"] / 625
    squashed, cropped = (
        overlaps({"a": {a: seen[a][0], b: seen[b][1]}}, [a, b])["hausdorff_grid"][0]
        for a, b in (("convnext", "eva"), ("resnet", "inception"))
    )
    assert cropped - squashed > 3  # the numbers that depend on the pair stay in a column of their own


def test_the_same_regions_give_the_same_distance_in_images_of_every_form():
    for width, height in ((600, 300), (300, 600), (400, 400)):
        left, right = np.zeros((2, height, width), bool)
        left[100:140, 100:140] = True
        right[148:188, 136:176] = True  # 48 down and 36 across
        view = (0.0, 0.0, float(height), float(width))
        masks = {"a": {"m": as_seen(left, 448, view), "n": as_seen(right, 384, view)}}
        row = overlaps(masks, "mn", width=width, height=height).iloc[0]
        assert row["hausdorff"] == pytest.approx(60, abs=3)
        assert row["hausdorff_ratio"] == pytest.approx(row["hausdorff"] / np.hypot(width, height))


def slow_measures(seen, a, b):
    """The measures of one pair from their definitions, with a distance transform of each set."""
    if a not in seen or b not in seen:
        return [np.nan] * 5 + ["missing"]
    field = common_field(seen[a].view, seen[b].view)
    if field is None:
        return [np.nan] * 5 + ["no common field"]
    one, other = (on_grid(seen[name].mask, seen[name].view, field) for name in (a, b))
    if not one.any() and not other.any():
        return [np.nan] * 5 + ["both empty"]
    if not one.any() or not other.any():
        return [0.0, 0.0, np.inf, np.inf, np.inf, "one empty"]
    cell = (field[2] - field[0]) / 224, (field[3] - field[1]) / 224
    between = (np.argwhere(one).mean(axis=0) - np.argwhere(other).mean(axis=0)) * cell
    distances = [
        max(distance_transform_edt(~x, sampling=by)[y].max() for x, y in ((one, other), (other, one)))
        for by in (cell, (1, 1))
    ]
    return [dice(one, other), (one & other).sum() / (one | other).sum(), *distances, np.hypot(*between), "ok"]


def test_overlaps_are_those_of_their_definitions():
    """Random boxes through every model's view; one model without a set, one set too small for the grid, one aside."""
    random = np.random.default_rng(0)
    masks = {}
    for image in "abcd":
        masks[image] = {}
        for name, (side, view) in MODELS.items():
            mask = np.zeros((side, side), bool)
            for _ in range(random.integers(1, 6)):
                top, left = random.integers(0, side - 1, 2)
                mask[top : top + random.integers(1, side // 2), left : left + random.integers(1, side // 2)] = True
            masks[image][name] = Seen(mask, view)
    del masks["b"]["vit"]
    for name, kept in (("convnext", (slice(None), slice(0, 4))), ("eva", (77, 301))):
        mask = np.zeros((MODELS[name][0],) * 2, bool)
        mask[kept] = True
        masks["c"][name] = Seen(mask, SQUASH)
    frame = overlaps(masks, list(MODELS), "abcd")
    expected = [slow_measures(masks[i], a, b) for i in "abcd" for a, b in combinations(MODELS, 2)]
    columns = ["dice", "iou", "hausdorff", "hausdorff_grid", "centroid_distance", "status"]
    twin = pd.DataFrame(expected, columns=columns).astype({"status": "string"})
    exact = ["dice", "iou", "hausdorff_grid", "status"]
    pd.testing.assert_frame_equal(frame[exact], twin[exact], check_exact=True)
    pd.testing.assert_frame_equal(frame[columns], twin, rtol=1e-12)
    assert set(frame["status"]) == {"ok", "missing", "one empty"}


def test_a_pair_has_the_facts_of_both_its_models():
    mask = np.ones((10, 10), bool)
    seen = {name: Seen(mask, SQUASH) for name in ("one", "two", "odd")}
    areas = areas_of(["one", "two", "odd"], "ab").drop(index=3)  # no row of model two and image b
    frame = measure_overlaps(areas, manifest_of("ab"), {"a": seen, "b": seen}.__getitem__)
    assert frame[["image", "model_a", "model_b"]].to_numpy().tolist() == [
        ["a", "one", "two"], ["a", "one", "odd"], ["a", "two", "odd"], ["b", "one", "odd"],
    ]  # fmt: skip
    assert frame["architecture_b"].tolist() == ["two", "odd", "odd", "odd"]
    assert frame["correct_a"].tolist() == [True] * 4
    assert frame["correct_b"].tolist() == [True, False, False, False]
    assert (frame["target_a"] == 3).all() and (frame["half"] == "labelled").all()


def test_a_study_without_pairs_has_an_empty_frame_of_the_same_columns():
    full = overlaps({"a": {}}, ["one", "two"])
    for areas in (areas_of(["one"]), areas_of([])):
        none = measure_overlaps(areas, manifest_of(), {"a": {}}.__getitem__)
        assert none.empty and none.dtypes.to_dict() == full.dtypes.to_dict()


def test_overlaps_keep_a_row_for_every_pair_and_say_what_is_missing():
    left, right = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    left[:, :5], right[:, 3:8] = True, True
    view = (0.0, 0.0, 10.0, 10.0)
    masks = {"a": {"m1": Seen(left, view), "m2": Seen(right, view)}, "b": {"m1": Seen(left, view)}, "c": {}}
    frame = overlaps(masks, ["m1", "m2"], "abc", width=10, height=10).set_index("image")
    assert frame["status"].to_dict() == {"a": "ok", "b": "missing", "c": "missing"}
    assert frame.loc["a", "dice"] == pytest.approx(0.4, abs=0.02)
    assert frame.loc["a", "centroid_distance"] == pytest.approx(3, abs=0.05)
    assert np.isnan(frame.loc["b", "dice"])


def test_a_set_outside_the_common_field_is_told_apart_from_one_that_overlaps_nothing():
    """m1 sees the left two thirds, m2 the right two thirds; sets at the outer edges lie in neither's common field."""
    inner, outer = np.zeros((10, 15), bool), np.zeros((10, 15), bool)
    inner[:, 5:], outer[:, :2] = True, True
    left, right = (0.0, 0.0, 10.0, 20.0), (0.0, 10.0, 10.0, 30.0)
    masks = {
        "a": {"m1": Seen(outer, left), "m2": Seen(outer[:, ::-1], right)},
        "b": {"m1": Seen(inner, left), "m2": Seen(outer[:, ::-1], right)},
        "c": {"m1": Seen(outer, left), "m2": Seen(outer, (0.0, 40.0, 10.0, 60.0))},
    }
    measures = ["dice", "iou", "hausdorff", "hausdorff_ratio", "hausdorff_grid", "centroid_distance"]
    frame = overlaps(masks, ["m1", "m2"], "abc").set_index("image")
    assert frame["status"].to_dict() == {"a": "both empty", "b": "one empty", "c": "no common field"}
    assert frame.loc["b", measures].tolist() == [0, 0, *[np.inf] * 4]
    assert frame.loc["a", measures].isna().all()
