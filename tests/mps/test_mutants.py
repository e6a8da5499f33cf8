"""Every form of a mutant against its dense mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_study.mps.baselines import baseline_picture
from mps_study.mps.mutants import COMBINATIONS, Blended, Boxes, Masks, Prefixes, Ranking, Within

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


def blended(shape=SHAPE, rows=3, columns=4, n=6):
    """Blended mutants of random nodes."""
    return Blended(shape, nodes=np.random.default_rng(5).random((n, rows, columns)) < 0.5)


@pytest.mark.parametrize(
    ("shape", "rows", "columns"), [(SHAPE, 3, 4), ((224, 224), 7, 7), ((9, 5), 1, 2), ((3, 1), 3, 1)]
)
def test_shares_are_those_of_bilinear_upsampling_to_the_nearest_step(shape, rows, columns):
    """The outside judge is torch's own, whose first and last nodes lie on the first and last pixels."""
    torch = pytest.importorskip("torch")
    mutants = blended(shape, rows, columns)
    upsample = torch.nn.UpsamplingBilinear2d(size=shape)
    theirs = upsample(torch.from_numpy(mutants.nodes[:, None].astype(np.float32)))[:, 0].numpy()
    ours = np.array([mutants.shares(row) for row in range(len(mutants))])
    np.testing.assert_allclose(ours, theirs, atol=2 / 256)
    assert np.array_equal(ours * 2**16, np.rint(ours * 2**16)) and ours.min() >= 0 and ours.max() <= 1
    assert (Blended(shape, nodes=np.ones((1, rows, columns), dtype=bool)).shares(0) == 1).all()


@pytest.mark.parametrize("baseline", [0.0, [1.0, 2.0, 3.0], "blur"])
def test_a_blended_mutant_is_between_picture_and_baseline(baseline):
    pixels = np.random.default_rng(1).normal(size=(3, *SHAPE)).astype(np.float32)
    picture = baseline_picture(pixels, baseline)
    mutants, painted = blended(), np.empty((3, *SHAPE), dtype=np.float32)
    allowed = np.random.default_rng(2).random(SHAPE) < 0.5
    for row in range(len(mutants)):
        mutants.paint(row, picture, painted)
        shares = mutants.shares(row)
        expected = shares * pixels + (1 - shares) * picture.baseline
        np.testing.assert_allclose(painted, expected, atol=1e-6)
        assert np.array_equal(mutants.mask(row), shares > 0)
        Within(SHAPE, inner=mutants, allowed=allowed).paint(row, picture, painted)
        np.testing.assert_allclose(painted, np.where(allowed, expected, picture.baseline), atol=1e-6)


def test_blended_mutants_are_told_from_each_other_and_from_every_mask():
    nodes = np.array([[(i >> bit) & 1 for bit in range(6)] for i in range(64)], dtype=bool).reshape(64, 2, 3)
    mutants = Blended(SHAPE, nodes=nodes)
    allowed = np.arange(12 * 17).reshape(SHAPE) % 3 > 0
    within = Within(SHAPE, inner=mutants, allowed=allowed)
    masks = Masks(SHAPE, masks=mutants.masks_of(1, 64))
    digests = np.concatenate([mutants.digests()[1:], within.digests()[1:], masks.digests()])
    assert len(set(digests.tolist())) >= 63 * 2 + len(np.unique(masks.masks, axis=0))
    assert np.array_equal(mutants.take(np.array([5, 9])).digests(), mutants.digests()[[5, 9]])
