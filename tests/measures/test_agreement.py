"""Sets beside what people marked: known answers, slow twins, real preprocessing as judge of where an object lies."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.signal import fftconvolve

from mps_study.images.decoding import decode
from mps_study.measures.agreement import (
    COLUMNS,
    Marked,
    Needed,
    agreement_of,
    chance_of_shape,
    measure_agreement,
    object_in_input,
)
from mps_study.models.inference.preprocessing import Preprocessing

WHOLE = (0.0, 0.0, 40.0, 40.0)
"""The view of a model that sees all of an image of 40 x 40 pixels, in an input of 10 x 10."""
MARKED = Marked((8, 8, 24, 24))
"""Rows and columns 2 to 5 of that input: 16 of its 100 pixels."""


def box(rows, columns, shape=(10, 10)):
    mask = np.zeros(shape, dtype=bool)
    mask[rows, columns] = True
    return mask


def measured(mask, landscape=None, marked=MARKED, view=WHOLE):
    return agreement_of(Needed(mask, view, landscape), object_in_input([marked], view, mask.shape))


def test_a_set_inside_outside_and_half_inside():
    inside = measured(box(slice(2, 4), slice(2, 6)))
    assert (inside["inside"], inside["covered"], inside["chance"]) == (1, 0.5, 0.16)
    outside = measured(box(slice(6, 8), slice(2, 6)))
    assert (outside["inside"], outside["covered"]) == (0, 0)
    half = measured(box(slice(4, 8), slice(2, 4)))
    assert (half["inside"], half["covered"]) == (0.5, 0.25)


def test_the_map_points_inside_or_not_and_ties_count_in_part():
    mask, heights = box(2, 2), np.zeros((10, 10), dtype=np.float32)
    heights[3, 3], heights[9, 9], heights[0, 0] = 3, 1, -5
    found = measured(mask, heights)
    assert (found["pointing"], found["responsibility_inside"]) == (1, 0.75)
    heights[8, 8] = 3
    assert measured(mask, heights)["pointing"] == 0.5
    for none in (None, np.full((10, 10), 2, dtype=np.float32)):
        found = measured(mask, none)
        assert np.isnan(found["pointing"]) and np.isnan(found["responsibility_inside"])


def test_a_model_that_crops_is_asked_about_the_part_that_it_sees():
    """The middle 20 x 20 source pixels: the object's rows and columns 10 to 23 become 0 to 6 of 10."""
    crop = (10.0, 10.0, 30.0, 30.0)
    seen = object_in_input([MARKED], crop, (10, 10))
    assert np.array_equal(seen, box(slice(0, 7), slice(0, 7)))
    assert measured(box(slice(0, 7), slice(0, 7)), view=crop)["covered"] == 1
    assert not object_in_input([Marked((0, 0, 10, 40))], crop, (10, 10)).any()


def test_an_object_smaller_than_a_pixel_of_the_input_is_not_lost():
    thin = object_in_input([Marked((13, 0, 13.4, 40))], WHOLE, (10, 10))
    assert np.array_equal(thin, box(slice(None), 3))
    mask = np.zeros((40, 40), dtype=bool)
    mask[13, 21] = True
    assert np.array_equal(object_in_input([Marked((21, 13, 22, 14), mask)], WHOLE, (10, 10)), box(3, 5))


def test_the_object_is_all_regions_together_and_a_mask_counts_by_its_pixels():
    corners = np.zeros((40, 40), dtype=bool)
    corners[:8, :8] = corners[32:, 32:] = True
    seen = object_in_input([MARKED, Marked((0, 0, 40, 40), corners)], WHOLE, (10, 10))
    assert seen.sum() == 16 + 4 + 4
    beyond = object_in_input([Marked((0, 0, 40, 40), ~corners | corners)], (-40.0, 0.0, 80.0, 40.0), (12, 10))
    assert np.array_equal(beyond, box(slice(4, 8), slice(None), (12, 10)))


@pytest.mark.parametrize("crop", [{}, {"crop_mode": "squash"}, {"crop_mode": "border"}, {"crop_pct": 0.7}])
@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_the_object_lies_where_the_model_sees_it(crop, orientation):
    """A white object on black, through EXIF and each preprocessing: judged by what is bright in the model's input."""
    stored = Image.new("RGB", (300, 200))
    buffer = io.BytesIO()
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.paste((255, 255, 255), (170, 30, 260, 120))
    stored.save(buffer, "PNG", exif=exif)
    picture = decode(buffer.getvalue(), "a")
    bright = np.asarray(picture)[..., 0] > 128
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    mine = Marked((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    expected = {1: (170, 30, 260, 120), 2: (40, 30, 130, 120), 6: (80, 170, 170, 260)}[orientation]
    assert tuple(mine.box) == expected
    how = Preprocessing(input_size=(64, 64), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bilinear", **crop)
    view = how.view(*picture.size)
    lit = how.pixels(picture)[0] > 0.2  # a border is grey: 0
    for region in (mine, Marked(mine.box, bright)):
        seen = object_in_input([region], view, (64, 64))
        assert seen.any() and (seen ^ lit).sum() <= 0.06 * lit.sum()


def test_the_chance_of_a_shape_is_that_of_all_its_places():
    random = np.random.default_rng(1)
    for _ in range(20):
        marked = random.random((9, 13)) < 0.4
        mask = np.zeros((9, 13), dtype=bool)
        high, wide = random.integers(1, 10), random.integers(1, 14)
        mask[9 - high :, :wide] = random.random((high, wide)) < 0.5
        mask[8, 0] = True
        rows, columns = np.nonzero(mask)
        shape = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        convolved = fftconvolve(marked.astype(float), shape[::-1, ::-1].astype(float), mode="valid") / shape.sum()
        slow = [
            marked[top : top + shape.shape[0], left : left + shape.shape[1]][shape].mean()
            for top in range(9 - shape.shape[0] + 1)
            for left in range(13 - shape.shape[1] + 1)
        ]
        assert chance_of_shape(mask, marked) == pytest.approx(np.mean(slow), abs=1e-12)
        assert chance_of_shape(mask, marked) == pytest.approx(convolved.mean(), abs=1e-9)


def test_a_random_pixel_lies_inside_by_the_area_and_a_set_that_spans_the_input_fits_once():
    marked = box(slice(2, 6), slice(2, 6))
    assert chance_of_shape(box(7, 7), marked) == pytest.approx(0.16)
    spanning = box([0, 3, 9], [0, 3, 9])
    assert chance_of_shape(spanning, marked) == pytest.approx(1 / 3)
    assert chance_of_shape(np.ones((10, 10), dtype=bool), marked) == pytest.approx(0.16)


def areas_of(*rows):
    names = ["image", "model", "architecture", "search", "half", "correct", "status"]
    return pd.DataFrame(rows, columns=names).astype({"correct": "boolean"})


def test_every_row_of_the_areas_has_one_here_with_its_measures_or_the_reason():
    areas = areas_of(
        ("a", "m", "A", "study", "labelled", True, "found"),
        ("b", "m", "A", "study", "unlabelled", None, "found"),
        ("a", "n", "B", "study", "labelled", False, "found"),
        ("b", "n", "B", "study", "unlabelled", None, "found"),
        ("a", "m", "A", "other", "labelled", True, "below"),
        ("a", "n", "B", "other", "labelled", False, "found"),
    )
    crop = (30.0, 30.0, 40.0, 40.0)
    sets = {
        ("a", "m", "study"): Needed(box(slice(2, 4), 2), WHOLE),
        ("a", "n", "study"): Needed(box(9, slice(0, 9)), WHOLE),
        ("a", "n", "other"): Needed(box(2, 2), crop),
    }
    asked = []

    def needed(*key):
        asked.append(key)
        return sets[key]

    frame = measure_agreement(areas, lambda image: [MARKED] if image == "a" else [], needed)
    assert frame.dtypes.astype(str).to_dict() == COLUMNS
    pd.testing.assert_frame_equal(
        frame[["image", "model", "search"]], areas[["image", "model", "search"]].astype("string")
    )
    assert frame["missing"].tolist() == ["", "no annotation", "", "no annotation", "no set", "object not in view"]
    assert frame["beside"].fillna(False).tolist() == [False, False, True, False, False, False]
    assert frame["beside"].isna().tolist() == (frame["missing"] != "").tolist()
    assert frame["inside"].tolist()[:3:2] == [1, 0] and frame["chance"][0] == 0.16
    assert frame.loc[frame["missing"] != "", "inside"].isna().all()
    assert sorted(asked) == sorted(sets)  # no record is read for nothing


def test_less_than_chance_is_beside_and_an_input_full_of_object_never_is():
    areas = areas_of(*[(image, "m", "A", "study", "labelled", True, "found") for image in "ab"])
    mask = np.ones((10, 10), dtype=bool)
    mask[2, 2] = False  # 15 of 99 inside, .16 by chance
    regions = {"a": [MARKED], "b": [Marked((0, 0, 40, 40))]}
    frame = measure_agreement(areas, regions.__getitem__, lambda *_: Needed(mask, WHOLE))
    assert frame["beside"].tolist() == [True, False]


def test_a_study_without_images_has_an_empty_frame():
    frame = measure_agreement(areas_of(), lambda image: [], lambda *_: None)
    assert frame.empty and list(frame) == list(COLUMNS)
