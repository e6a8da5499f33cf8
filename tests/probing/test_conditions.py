"""Each condition shows a known set as it says, the same on every machine and for every company."""

import numpy as np
import pytest

from mps_study.mps.mutants import Picture
from mps_study.probing.conditions import CONDITIONS, NotAskedError
from mps_study.probing.known import Colours, KnownSet, tiles_of

MEAN, STD = np.float32([0.5, 0.4, 0.3])[:, None, None], np.float32([0.2, 0.3, 0.4])[:, None, None]
COLOURS = Colours(-MEAN / STD, (1 - MEAN) / STD)


def known(mask=None, channels=3, another=None, **changes):
    values = np.random.default_rng(0).integers(0, 256, (channels, 16, 24)).astype(np.float32) / 255
    pixels = (values - MEAN[:channels]) / STD[:channels]
    if mask is None:
        mask = np.zeros((16, 24), bool)
        mask[4:12, 8:16] = True
    colours = Colours(COLOURS.black[:channels], COLOURS.white[:channels])
    picture = Picture(pixels, np.zeros((1, 1, 1), np.float32))
    return KnownSet("a", picture, mask, 3, 4, colours, another=another, **changes)


def painted(variant):
    picture, mask = variant
    return np.where(mask, picture.pixels, picture.baseline)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_is_the_same_again_and_leaves_the_set_as_it_is(name):
    one = known(another=np.ones((3, 16, 24), np.float32))
    before = one.mask.copy(), one.picture.pixels.copy()
    first, second = (CONDITIONS[name].variants(one, 3) for _ in range(2))
    assert len(first) == (3 if CONDITIONS[name].by_chance else 4 if name == "shift_1" else 1)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(painted(a), painted(b))
    np.testing.assert_array_equal(one.mask, before[0])
    np.testing.assert_array_equal(one.picture.pixels, before[1])


def test_black_and_white_are_those_of_the_picture_before_its_normalisation():
    for name, value in (("black", 0), ("white", 1)):
        (variant,) = CONDITIONS[name].variants(known(), 1)
        shown = painted(variant) * STD + MEAN
        np.testing.assert_allclose(shown[:, 0, 0], value, atol=1e-6)
        np.testing.assert_array_equal(painted(variant)[:, 4:12, 8:16], known().picture.pixels[:, 4:12, 8:16])


def test_random_backgrounds_reach_from_the_smallest_to_the_largest_value_and_depend_on_image_and_seed():
    variants = CONDITIONS["random_backgrounds"].variants(known(), 20)
    values = np.stack([picture.baseline for picture, _ in variants])
    pixels = known().picture.pixels
    assert pixels.min() <= values.min() < pixels.min() + 0.05 and pixels.max() - 0.05 < values.max() <= pixels.max()
    other = CONDITIONS["random_backgrounds"].variants(known(seed=1), 1)[0][0].baseline
    assert len({each.tobytes() for each in values}) == 20 and not (other == values[0]).all()


def test_a_dilation_grows_the_set_by_so_many_steps():
    point = np.zeros((16, 24), bool)
    point[8, 8] = True
    for name, pixels in (("dilation_1", 5), ("dilation_2", 13), ("dilation_4", 41)):  # 2n(n + 1) + 1
        assert CONDITIONS[name].variants(known(point), 1)[0][1].sum() == pixels


def test_a_twentieth_of_the_tiles_and_at_least_one_is_lost():
    whole = np.ones((16, 24), bool)
    assert len(tiles_of(whole, 4)) == 24
    for _, mask in CONDITIONS["tiles_lost"].variants(known(whole), 5):
        lost = [tile for tile in tiles_of(whole, 4) if not (mask & tile).any()]
        assert len(lost) == 2 and mask.sum() == (24 - 2) * 16
    one = np.zeros((16, 24), bool)
    one[0, 0] = True
    with pytest.raises(NotAskedError, match="one tile"):
        CONDITIONS["tiles_lost"].variants(known(one), 5)


def test_a_shift_takes_the_pixels_along_and_lets_nothing_come_in_on_the_other_side():
    edge = np.zeros((16, 24), bool)
    edge[0, 5] = edge[7, 7] = True
    up, down, left, right = CONDITIONS["shift_1"].variants(known(edge), 1)
    pixels = known().picture.pixels
    assert [int(mask.sum()) for _, mask in (up, down, left, right)] == [1, 2, 2, 2]
    for variant, place in ((up, (6, 7)), (down, (8, 7)), (left, (7, 6)), (right, (7, 8))):
        np.testing.assert_array_equal(painted(variant)[:, *place], pixels[:, 7, 7])
    assert not up[1][15].any()


def test_jpeg_is_that_of_the_painted_picture():
    import io

    from PIL import Image

    (variant,) = CONDITIONS["jpeg"].variants(known(), 1)
    before = painted((known().picture, known().mask)) * STD + MEAN
    buffer = io.BytesIO()
    Image.fromarray(np.rint(before * 255).astype(np.uint8).transpose(1, 2, 0)).save(buffer, "JPEG", quality=75)
    again = np.asarray(Image.open(buffer)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(painted(variant) * STD + MEAN, again, atol=1e-5)
    assert variant[1].all()


def test_what_cannot_be_shown_says_why():
    with pytest.raises(NotAskedError, match="no other image"):
        CONDITIONS["another_photograph"].variants(known(), 1)
    with pytest.raises(NotAskedError, match="the model 2"):
        CONDITIONS["jpeg"].variants(known(channels=2), 1)
