"""Distances of two sets on a grid, against SciPy and distance transforms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import directed_hausdorff

from mps_study.measures.distance import centroid_distance, hausdorff, place

MASKS = arrays(bool, (9, 11))
CELLS = st.sampled_from([(1.0, 1.0), (1.67, 2.23), (3.0, 0.5)])


@given(MASKS, MASKS, CELLS)
def test_hausdorff_is_scipys(a, b, cell):
    got = hausdorff(place(a), place(b), cell)
    if a.any() and b.any():
        points = [np.argwhere(mask) * cell for mask in (a, b)]
        assert got == pytest.approx(max(directed_hausdorff(*points)[0], directed_hausdorff(*points[::-1])[0]))
    else:
        assert got == (0.0 if a.any() == b.any() else np.inf)


def boxes(random, side, count):
    mask = np.zeros((side, side), bool)
    for top, left, height, width in random.integers(0, side // 2, (count, 4)):
        mask[2 * top : 2 * top + height, 2 * left : 2 * left + width] = True
    return mask


@pytest.mark.parametrize("cell", [(1.0, 1.0), (1.674, 2.232), (2.2, 1.7)])
def test_hausdorff_is_that_of_the_distance_transforms_to_the_bit(cell):
    """Far and near, one in the other, nearly equal, scattered, whole: on the study's own grid."""
    random = np.random.default_rng(0)
    near = boxes(random, 224, 4)
    sets = [boxes(random, 224, n) for n in (1, 1, 2, 4, 9)] + [
        random.random((224, 224)) < 0.01,
        np.ones((224, 224), bool),
    ]
    sets += [near, near ^ (random.random(near.shape) < 0.001), np.indices((224, 224)).sum(axis=0) % 2 == 0]
    corner = np.zeros((224, 224), bool)
    corner[223, 0] = True
    placed = [
        (mask, place(mask), distance_transform_edt(~mask, sampling=cell)) for mask in (*sets, corner) if mask.any()
    ]
    for a, place_a, to_a in placed:
        for b, place_b, to_b in placed:
            assert hausdorff(place_a, place_b, cell) == max(to_a[b].max(), to_b[a].max())


@given(MASKS, MASKS, CELLS)
def test_the_centroid_distance_is_that_of_the_mean_pixels(a, b, cell):
    got = centroid_distance(place(a), place(b), cell)
    if a.any() and b.any():
        means = [np.mean(np.argwhere(mask) * cell, axis=0) for mask in (a, b)]
        assert got == pytest.approx(np.hypot(*(means[0] - means[1])))
    else:
        assert got == (0.0 if a.any() == b.any() else np.inf)


def test_disjoint_sets_have_a_finite_distance():
    a, b = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    a[0, 0] = b[3, 4] = True
    assert (hausdorff(place(a), place(b)), centroid_distance(place(a), place(b))) == (5, 5)


def cells(*places, side=44):
    """A set of single cells."""
    mask = np.zeros((side, side), bool)
    mask[tuple(np.transpose(places))] = True
    return place(mask)


def test_a_cell_is_furthest_though_its_block_is_not():
    """Blocks of 4 x 4 cells: one that lies nearer by its corner holds the cell that is further away."""
    far = hausdorff(cells((19, 19)), cells((36, 36), (4, 0)))
    assert far == pytest.approx(np.hypot(15, 19))  # and not np.hypot(17, 17)


def test_the_furthest_cell_may_lie_in_the_ninth_block():
    """Eight blocks further away by their corners are measured first."""
    blocks = [(6, 0), (0, 6), (6, 1), (1, 6), (6, 2), (2, 6), (5, 4), (4, 5)]
    others = [(19 + 4 * down, 19 + 4 * across) for down, across in blocks]
    assert hausdorff(cells((19, 19)), cells(*others, (0, 0))) == pytest.approx(np.hypot(19, 19))
