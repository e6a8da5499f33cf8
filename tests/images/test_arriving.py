"""A picture is the same whether it comes as a path, a Pillow image, bytes, an open file or an array."""

import io

import numpy as np
import pytest
from PIL import Image

from mps_study.images.arriving import picture_of
from mps_study.images.decoding import DecodingError, decode

ROTATED = 6
"""EXIF's orientation of a camera that is held upright."""


def phone(path):
    """A photograph that is turned upright by its EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path.with_suffix(".jpg"), exif=exif)
    return path.with_suffix(".jpg")


def logo(path):
    """A green square on nothing."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[2:5, 2:5] = (20, 220, 30, 255)
    Image.fromarray(pixels).save(path)
    return path


def x_ray(path):
    """16 bits a pixel."""
    Image.fromarray(np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)).save(path)
    return path


def palette(path):
    """Few colours, one of them transparent."""
    image = Image.new("P", (5, 5), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((2, 2), 0)
    image.save(path, transparency=0)
    return path


def grey(path):
    """8 bits a pixel."""
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(path)
    return path


def pixels(image):
    """(h, w, 3) of what arrives."""
    picture = picture_of(image)[1]
    assert picture.mode == "RGB"
    return np.asarray(picture)


@pytest.mark.parametrize("make", [phone, logo, x_ray, palette, grey])
def test_every_way_in_gives_the_picture_of_the_file(tmp_path, make):
    path = make(tmp_path / "picture.png")
    expected = np.asarray(decode(path.read_bytes(), "picture"))
    with path.open("rb") as file:
        ways = [path, str(path), Image.open(path), path.read_bytes(), bytearray(path.read_bytes()), file]
        ways += [io.BytesIO(path.read_bytes()), expected, Image.fromarray(expected)]
        assert all(np.array_equal(pixels(way), expected) for way in ways)


@pytest.mark.parametrize("make", [logo, x_ray, grey])
def test_an_array_of_a_file_is_its_picture_where_it_knows_all_of_it(tmp_path, make):
    path = make(tmp_path / "picture.png")
    assert np.array_equal(pixels(np.asarray(Image.open(path))), pixels(path))


def test_the_right_pixels_come_through(tmp_path):
    assert pixels(phone(tmp_path / "a")).shape == (9, 6, 3)
    square = pixels(logo(tmp_path / "b.png"))
    assert square[3, 3].tolist() == [20, 220, 30] and square[0, 0].tolist() == [255, 255, 255]
    deep = pixels(x_ray(tmp_path / "c.png"))[..., 0].ravel()
    assert deep[0] == 0 and deep[-1] == 255 and 110 < deep[32] < 140


def test_a_file_that_was_just_written_is_read_from_its_beginning(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(buffer, "PNG")
    assert (pixels(buffer) == (1, 2, 3)).all()


def test_names_are_those_of_files(tmp_path):
    path = logo(tmp_path / "mine.png")
    with path.open("rb") as file:
        assert [picture_of(each)[0] for each in (path, file, path.read_bytes())] == ["mine", "mine", "image"]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4, 3)), r"array \(4, 4, 3\) of float64; give a path"),
        (np.zeros((4, 4, 3), np.float32), "of float32"),
        (np.zeros((4, 4, 3), np.int64), "of int64"),
        (np.zeros((4, 4, 3), np.int8), "of int8"),
        (np.zeros((3, 4, 5), np.uint8), r"array \(3, 4, 5\) of uint8, of 5 channels; they must come last"),
        (np.ma.masked_equal(np.zeros((4, 4, 3), np.uint8), 0), "values are masked; fill them"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"array \(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"array \(0, 4, 3\)"),
        (np.zeros(4, np.uint8), r"array \(4,\)"),
        (Image.new("F", (4, 4)), "32-bit values, whose white is not known"),
        (Image.new("I", (4, 4)), "32-bit values, whose white is not known"),
        (Image.new("RGB", (500, 2)), "is a strip of 500 x 2"),
        (b"", "is an empty file"),
        (b"no image", "is in none of the formats"),
        (io.BytesIO(), "is an empty file"),
        (io.StringIO("x"), "opened as text; open it in 'rb'"),
        (None, "the image is of type NoneType; give a path, a Pillow image"),
        ([[1, 2], [3, 4]], "of type list"),
    ],
)
def test_everything_else_is_refused_in_one_line(image, said):
    with pytest.raises(DecodingError, match=said) as error:
        picture_of(image)
    assert "\n" not in str(error.value)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="this is a folder; give one image"):
        picture_of(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        picture_of(tmp_path / "absent.png")


def test_a_broken_file_that_pillow_opens_is_one_line(tmp_path):
    path = logo(tmp_path / "logo.png")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DecodingError, match="cannot be decoded"):
        picture_of(Image.open(path))
