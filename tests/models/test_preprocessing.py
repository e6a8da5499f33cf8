"""The view of a preprocessing against the transform itself."""

import numpy as np
import pytest
from PIL import Image

from mps_study.models.preprocessing import Preprocessing


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
