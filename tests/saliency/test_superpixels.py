"""Superpixels of LIME and KernelSHAP, of a real photograph."""

import numpy as np
import pytest

from mps_study.images.bundled import photos
from mps_study.images.decoding import decode
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.saliency.surrogates import colours, quickshift_segments, slic_segments

PREPROCESSING = Preprocessing(input_size=96, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), crop_pct=1.0)


@pytest.fixture(scope="module")
def pixels():
    photo = photos()[0]
    return PREPROCESSING.pixels(decode(photo.read(), photo.image))


@pytest.mark.parametrize("segments_of", [quickshift_segments, lambda pixels: slic_segments(pixels, 50)])
def test_they_are_numbered_without_gaps_and_the_same_each_time(pixels, segments_of):
    segments = segments_of(pixels)
    assert segments.shape == (96, 96) and 5 < segments.max() < 200
    assert set(np.unique(segments)) == set(range(segments.max() + 1))
    np.testing.assert_array_equal(segments_of(pixels), segments)


def test_colours_reach_from_black_to_white_in_any_number_of_channels(pixels):
    assert (colours(pixels).min(), colours(pixels).max()) == (0, 1)
    grey = colours(pixels[:1])
    assert grey.shape == (96, 96, 3) and (grey[..., 0] == grey[..., 2]).all()
    assert (colours(np.ones((3, 4, 4), np.float32)) == 0).all()
