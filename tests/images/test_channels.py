"""Images of more than three channels, in NPY and TIFF files: what a model is given, and what is seen."""

import io

import numpy as np
import pytest
from PIL import Image

from images.pictures import write_pictures
from mps_study.common.channels import carried
from mps_study.images.arriving import picture_of
from mps_study.images.candidates import image_files
from mps_study.images.decoding import DecodingError, decode
from mps_study.models.inference.preprocessing import Preprocessing

RANDOM = np.random.default_rng(0).integers(0, 256, (12, 10, 5), dtype=np.uint8)
FIVE = Preprocessing(
    input_size=(12, 10), mean=(0.0,) * 5, std=(1.0,) * 5, crop_pct=1.0, crop_mode="squash", interpolation="nearest"
)
RGB = Preprocessing(input_size=12)


def npy(array, **how):
    """The bytes of an NPY file."""
    buffer = io.BytesIO()
    np.save(buffer, array, **how)
    return buffer.getvalue()


def tiff(array, **how):
    """The bytes of a TIFF, a page a channel."""
    buffer = io.BytesIO()
    pages = [Image.fromarray(np.ascontiguousarray(page)) for page in np.moveaxis(array, 2, 0)]
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:], **how)
    return buffer.getvalue()


DEEP = RANDOM.astype(np.uint16) * 257
FORMS = {
    "npy": npy(RANDOM),
    "npy of columns": npy(np.asfortranarray(RANDOM)),
    "npy of 16 bits": npy(DEEP),
    "npy of another machine": npy(DEEP.astype(">u2")),
    "tiff": tiff(RANDOM),
    "tiff of 16 bits": tiff(DEEP),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_model_gets_all_channels_as_they_are(form):
    pixels = FIVE.pixels(decode(FORMS[form], form))
    assert pixels.shape == (5, 12, 10) and pixels.dtype == np.float32
    assert np.array_equal((pixels * 255).round().astype(np.uint8), np.moveaxis(RANDOM, 2, 0))


def test_every_way_in_gives_the_same_channels():
    ways = [RANDOM, DEEP, FORMS["npy"], io.BytesIO(FORMS["tiff"]), Image.open(io.BytesIO(FORMS["tiff"]))]
    expected = FIVE.pixels(decode(FORMS["npy"], "x"))
    assert all(np.array_equal(FIVE.pixels(picture_of(way)[1]), expected) for way in ways)


def test_the_first_three_channels_are_looked_at_and_the_first_page_of_a_tiff():
    assert np.array_equal(np.asarray(decode(FORMS["npy"], "x")), RANDOM[..., :3])
    assert np.array_equal(FIVE.seen(decode(FORMS["npy"], "x")), RANDOM[..., :3])
    assert np.array_equal(np.asarray(decode(FORMS["tiff"], "x")), RANDOM[..., [0, 0, 0]])
    two = decode(npy(RANDOM[..., :2]), "x")
    assert np.array_equal(np.asarray(two), RANDOM[..., [0, 0, 0]]) and carried(two)[0].shape == (12, 10, 2)


def test_one_and_three_channels_are_grey_and_rgb():
    for grey in (RANDOM[..., 0], RANDOM[..., :1]):
        assert np.array_equal(np.asarray(decode(npy(grey), "x")), RANDOM[..., [0, 0, 0]])
    assert np.array_equal(np.asarray(decode(npy(RANDOM[..., :3]), "x")), RANDOM[..., :3])


def test_a_fourth_channel_of_an_array_is_opacity_but_for_a_model_of_four(tmp_path):
    clear = RANDOM[..., :4].copy()
    clear[..., 3] = 0
    _, picture = picture_of(clear)
    assert (np.asarray(picture) == 255).all()
    four = FIVE.model_copy(update={"mean": (0.0,) * 4, "std": (1.0,) * 4})
    assert np.array_equal((four.pixels(picture) * 255).round(), np.moveaxis(clear, 2, 0))


@pytest.mark.parametrize(
    ("form", "preprocessing", "said"),
    [
        (npy(RANDOM), RGB, "it has 5 channels, but the model takes 3 .*; give RGB or grey images"),
        (
            npy(RANDOM[..., :3]),
            FIVE,
            r"has 3 channels, but the model takes 5 .*; give arrays \(h, w, 5\) of uint8 in NPY",
        ),
        (tiff(RANDOM[..., :2]), FIVE, "has 2 channels, but the model takes 5"),
    ],
)
def test_other_channels_than_the_models_are_refused(form, preprocessing, said):
    with pytest.raises(ValueError, match=said):
        preprocessing.pixels(decode(form, "x"))


def test_a_grey_or_rgb_model_is_given_the_first_page_of_a_tiff():
    pixels = RGB.model_copy(update={"interpolation": "nearest", "crop_mode": "squash"}).pixels(
        decode(tiff(RANDOM), "x")
    )
    assert pixels.shape == (3, 12, 12)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npy(RANDOM / 255), "an array .12, 10, 5. of float64; give an array .h, w. or .h, w, channels. of uint8"),
        (npy(np.moveaxis(RANDOM, 2, 0)), "of 10 channels; they must come last, as in numpy.moveaxis.array, 0, -1."),
        (npy(RANDOM)[:-1], "it says to be an array .12, 10, 5. of uint8, and is not as long"),
        (npy(np.array([{}], dtype=object), allow_pickle=True), "is not as long"),
        (npy(RANDOM)[:20], "cannot be decoded"),
        (npy(np.zeros((500, 2, 5), np.uint8)), "is a strip of 2 x 500"),
        (npy(np.zeros((0, 4), np.uint8)), "give an array"),
    ],
)
def test_a_broken_array_is_one_line_and_runs_nothing(content, said):
    with pytest.raises(DecodingError, match=said) as error:
        decode(content, "x")
    assert "\n" not in str(error.value)


def test_npy_files_are_images_of_a_folder(tmp_path):
    write_pictures(tmp_path, "a/1.png")
    np.save(tmp_path / "a/2.npy", RANDOM)
    assert [path.name for _, path in image_files(tmp_path)] == ["1.png", "2.npy"]
