"""Preprocessing against timm's own transform, and the view of the image against what comes through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from timm.data import create_transform

from mps_study.models.inference.preprocessing import Preprocessing

SIDES = st.integers(min_value=40, max_value=400)
SIZES = st.integers(min_value=8, max_value=200)
SETTINGS = st.fixed_dictionaries(
    {
        "input_size": st.one_of(SIZES, st.tuples(SIZES, SIZES)),
        "crop_pct": st.sampled_from([0.5, 0.875, 0.9, 0.95, 1.0]),
        "crop_mode": st.sampled_from(["center", "squash", "border"]),
        "interpolation": st.sampled_from(["bilinear", "bicubic", "nearest", "lanczos"]),
    }
)
SCALES = st.sampled_from(
    [
        {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
        {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
        {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)},
        {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        {"mean": (-1.0, 0.25, 1.0), "std": (1e-3, 0.7, 1e-9)},
        {"mean": (0.4,), "std": (0.2,)},
    ]
)


@settings(deadline=None, max_examples=200)
@given(width=SIDES, height=SIDES, fields=SETTINGS, scale=SCALES, seed=st.integers(0, 99))
def test_pixels_are_bit_for_bit_those_of_timms_transform(width, height, fields, scale, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    preprocessing = Preprocessing(**fields, **scale)
    channels = preprocessing.shape[0]
    transform = create_transform(
        input_size=preprocessing.shape,
        is_training=False,
        mean=preprocessing.mean,
        std=preprocessing.std,
        crop_pct=preprocessing.crop_pct,
        crop_mode=preprocessing.crop_mode,
        interpolation=preprocessing.interpolation,
    )
    expected = transform(image.convert("L") if channels == 1 else image).numpy()
    actual = preprocessing.pixels(image)
    assert actual.dtype == np.float32
    assert actual.flags["C_CONTIGUOUS"]
    assert np.array_equal(actual, expected)


def test_a_line_is_not_scaled_away():
    """timm fails on it: one side would have no pixel."""
    line = Image.new("RGB", (500, 2), (255, 255, 255))
    pixels = Preprocessing(input_size=32, mean=(0, 0, 0), std=(1, 1, 1), crop_pct=1.0, crop_mode="border").pixels(line)
    assert pixels.sum(axis=2).nonzero()[1].tolist() == [15, 15, 15]


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("crop_pct", [0.875, 1.0])
@pytest.mark.parametrize(("width", "height"), [(300, 200), (120, 333), (256, 256), (641, 427)])
def test_the_view_is_the_part_of_the_image_that_the_transform_lets_through(mode, crop_pct, width, height):
    """A picture whose red and green are its coordinates shows where each input pixel comes from."""
    rows, columns = np.mgrid[:height, :width]
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.round(rows * 255 / (height - 1))
    ramp[..., 1] = np.round(columns * 255 / (width - 1))
    preprocessing = Preprocessing(
        input_size=96, mean=(0, 0, 0), std=(1, 1, 1), crop_pct=crop_pct, crop_mode=mode, interpolation="bilinear"
    )
    seen = preprocessing.pixels(Image.fromarray(ramp))
    top, left, bottom, right = preprocessing.view(width, height)
    expected_rows = top + (np.arange(96) + 0.5) / 96 * (bottom - top) - 0.5
    expected_columns = left + (np.arange(96) + 0.5) / 96 * (right - left) - 0.5
    inner = slice(3, -3)  # at the border the resampling filter is cut off
    step = max(width, height) / 255
    assert np.abs(seen[0, :, 48] * (height - 1) - expected_rows)[inner].max() < 1 + step
    assert np.abs(seen[1, 48] * (width - 1) - expected_columns)[inner].max() < 1 + step


def test_pixels_are_normalised_float32_channels_first():
    grey = Image.new("RGB", (50, 40), (128, 128, 128))
    pixels = Preprocessing(input_size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)).pixels(grey)
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.float32
    assert pixels == pytest.approx((128 / 255 - 0.5) / 0.5, abs=1e-6)
