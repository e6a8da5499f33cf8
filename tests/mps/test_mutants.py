"""Every form of a mutant against its dense mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_study.mps.baselines import baseline_picture
from mps_study.mps.mutants import COMBINATIONS, Boxes, Masks, Prefixes, Ranking

SHAPE = (12, 17)


def boxes():
    """Three mutants of disjoint boxes, one of them empty."""
    return Boxes(
        SHAPE,
        boxes=np.array([[[0, 3, 2, 9], [5, 12, 0, 4]], [[0, 0, 0, 0], [4, 4, 1, 6]], [[0, 12, 0, 17], [0, 0, 0, 0]]]),
    )


def prefixes():
    """Prefixes of a random ranking."""
    order = np.random.default_rng(0).permutation(12 * 17)
    return Prefixes(SHAPE, ranking=Ranking(order, SHAPE), counts=np.array([0, 1, 50, 204]))


@pytest.mark.parametrize("mutants", [boxes(), prefixes()], ids=["boxes", "prefixes"])
def test_digests_are_those_of_the_dense_mask(mutants):
    dense = Masks(SHAPE, masks=mutants.masks_of(0, len(mutants)))
    assert np.array_equal(mutants.digests(), dense.digests())


@pytest.mark.parametrize("mutants", [boxes(), prefixes()], ids=["boxes", "prefixes"])
@pytest.mark.parametrize("baseline", [0.0, [1.0, 2.0, 3.0], "mean", "min", "channel_mean"])
def test_painting_keeps_the_masks_pixels_and_nothing_else(mutants, baseline):
    pixels = np.random.default_rng(1).normal(size=(3, *SHAPE)).astype(np.float32)
    picture = baseline_picture(pixels, baseline)
    for row in range(len(mutants)):
        painted = np.full((3, *SHAPE), 99, dtype=np.float32)
        mutants.paint(row, picture, painted)
        assert np.array_equal(painted, np.where(mutants.mask(row), pixels, picture.baseline))


def test_prefixes_keep_the_first_pixels_of_the_ranking():
    order = np.random.default_rng(0).permutation(12 * 17)
    mask = Prefixes(SHAPE, ranking=Ranking(order, SHAPE), counts=np.array([50])).mask(0)
    assert set(np.flatnonzero(mask)) == set(order[:50])


def test_areas_count_the_pixels_of_disjoint_boxes():
    assert boxes().areas().tolist() == [mask.sum() for mask in boxes().masks_of(0, 3)]


def test_the_fourteen_combinations_stand_in_rex_order():
    assert len(COMBINATIONS) == 14
    assert COMBINATIONS[:5] == ((0,), (1,), (2,), (3,), (0, 1))
    assert COMBINATIONS[-1] == (1, 2, 3)


@given(st.lists(st.booleans(), min_size=24, max_size=24), st.lists(st.booleans(), min_size=24, max_size=24))
def test_different_masks_have_different_digests(a, b):
    masks = np.array([a, b]).reshape(2, 4, 6)
    first, second = Masks((4, 6), masks=masks).digests()
    assert (first == second) == (a == b)


def test_a_baseline_with_too_many_numbers_is_refused():
    with pytest.raises(ValueError, match="2 numbers, but the image has 3"):
        baseline_picture(np.zeros((3, 2, 2), np.float32), [0.0, 1.0])
