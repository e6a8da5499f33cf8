"""What the pixels that are not kept become: one place, checked before any work."""

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blob
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from mps_study import SearchConfig, extract_mps
from mps_study.mps.baselines import BASELINES, Surroundings, baseline_picture

PIXELS = np.random.default_rng(5).normal(1.5, 2.0, (3, 30, 41)).astype(np.float32)


@given(sigma=st.floats(0.005, 0.2), height=st.integers(3, 40), width=st.integers(3, 40))
@settings(max_examples=30, deadline=None)
def test_blur_is_scipys_gaussian_filter(sigma, height, width):
    pixels = np.random.default_rng(height).normal(size=(2, height, width)).astype(np.float32)
    scale = sigma * max(height, width)
    reach = max(1, int(np.ceil(4 * scale)))
    expected = gaussian_filter(pixels.astype(np.float64), (0, scale, scale), mode="reflect", radius=(0, reach, reach))
    baseline = baseline_picture(pixels, {"kind": "blur", "sigma": sigma}).baseline
    assert baseline.dtype == np.float32
    np.testing.assert_allclose(baseline, expected, atol=1e-5)


def test_noise_has_each_channels_mean_and_deviation_and_depends_on_seed_and_image_alone():
    pixels = np.random.default_rng(1).normal([[[0]], [[5]], [[-3]]], [[[1]], [[2]], [[0.5]]], (3, 200, 200))
    pixels = pixels.astype(np.float32)
    noise = baseline_picture(pixels, "noise", Surroundings("a", 0)).baseline
    np.testing.assert_allclose(noise.mean(axis=(1, 2)), [0, 5, -3], atol=0.05)
    np.testing.assert_allclose(noise.std(axis=(1, 2)), [1, 2, 0.5], rtol=0.03)
    again = baseline_picture(pixels, "noise", Surroundings("a", 0)).baseline
    assert np.array_equal(noise, again)
    for other in (Surroundings("b", 0), Surroundings("a", 1)):
        assert not np.array_equal(noise, baseline_picture(pixels, "noise", other).baseline)


def test_another_image_is_painted_where_pixels_are_not_kept():
    other = np.flip(PIXELS, axis=2).copy()
    picture = baseline_picture(PIXELS, "image", Surroundings(image=other))
    assert np.array_equal(picture.baseline, other)


def test_another_image_must_be_given_and_fit():
    with pytest.raises(ValueError, match="no image was given; pass `baseline_image`"):
        baseline_picture(PIXELS, "image")
    with pytest.raises(ValueError, match=r"has shape \(3, 2, 2\), the image \(3, 30, 41\)"):
        baseline_picture(PIXELS, "image", Surroundings(image=np.zeros((3, 2, 2), np.float32)))


@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_runs_through_a_search(baseline):
    config = SearchConfig(iterations=1, baseline=baseline)
    rule = at_least(blob((30, 41), 4, 4, 5), 12)
    (record,) = extract_mps([("image", PIXELS)], FakeClassifier(rule), config, baseline_image=PIXELS[:, ::-1])
    assert (record.mask & blob((30, 41), 4, 4, 5)).sum() >= 12


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        ("blurred", "use a number, one number a channel, or one of mean, min"),
        ({"kind": "blurr"}, "one of mean, min"),
        ({"sigma": 0.1}, "one of mean, min"),
        ({"kind": "blur", "sgma": 0.1}, "blur takes sigma, not sgma"),
        ({"kind": "mean", "sigma": 0.1}, "mean takes no arguments, not sigma"),
        ({"kind": "blur", "sigma": 0}, "sigma is a share"),
        ({"kind": "blur", "sigma": "wide"}, "sigma is a share"),
        ([0.0, "a"], "use a number"),
        (True, "use a number"),
    ],
)
def test_a_wrong_baseline_is_refused_before_any_work(baseline, says):
    with pytest.raises(ValueError, match=rf"search\.baseline is .*{says}"):
        SearchConfig(baseline=baseline)
