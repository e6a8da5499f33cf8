"""Every picture that a user may have: decoded rightly, or refused in one line that names it and says what to do."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mps_study.images.decoding import DecodingError, decode


def encoded(image, kind="PNG", **options):
    """The bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width, height, depth=8, colour=2, rows=b""):
    """A PNG file made by hand: any size in the header, whatever the rows are."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def flat(mode, colour, size=(8, 6)):
    """A picture of one colour."""
    return Image.new(mode, size, colour)


def deep(value, kind="PNG"):
    """A 16-bit grey picture."""
    return encoded(Image.fromarray(np.full((6, 8), value, np.uint16)), kind)


def palette(**options):
    """A palette picture of one blue."""
    return encoded(flat("RGB", (0, 0, 255)).convert("P", palette=Image.Palette.ADAPTIVE), **options)


def animation(kind):
    """Three frames: red, green, blue."""
    frames = [flat("RGB", colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def half_clear():
    """Red at half opacity; its colour is black where nothing shows."""
    return encoded(flat("RGBA", (255, 0, 0, 128)))


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        pytest.param(encoded(flat("L", 77)), (77, 77, 77), id="grey"),
        pytest.param(encoded(flat("1", 1)), (255, 255, 255), id="one bit"),
        pytest.param(deep(0), (0, 0, 0), id="16-bit black"),
        pytest.param(deep(40000), (156, 156, 156), id="16-bit grey is scaled, not clipped to white"),
        pytest.param(deep(65535), (255, 255, 255), id="16-bit white"),
        pytest.param(deep(40000, "TIFF"), (156, 156, 156), id="16-bit TIFF"),
        pytest.param(png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 40000, 0, 65535)), (156, 0, 255), id="16-bit RGB"),
        pytest.param(png(1, 1, 16, 4, b"\0" + struct.pack(">2H", 0, 0)), (255, 255, 255), id="16-bit grey, clear"),
        pytest.param(palette(), (0, 0, 255), id="palette"),
        pytest.param(palette(transparency=0), (255, 255, 255), id="palette, its colour clear"),
        pytest.param(encoded(flat("RGBA", (9, 9, 9, 0))), (255, 255, 255), id="clear shows the white ground"),
        pytest.param(half_clear(), (255, 127, 127), id="half clear lets half of the ground through"),
        pytest.param(encoded(flat("LA", (0, 255))), (0, 0, 0), id="grey and alpha"),
        pytest.param(encoded(flat("RGB", (1, 2, 3)), transparency=(1, 2, 3)), (255, 255, 255), id="a colour is clear"),
        pytest.param(encoded(flat("CMYK", (0, 255, 255, 0)), "TIFF"), (255, 0, 0), id="CMYK"),
        pytest.param(encoded(flat("CMYK", (0, 255, 255, 0)), "JPEG"), (254, 0, 0), id="CMYK JPEG"),
        pytest.param(animation("GIF"), (255, 0, 0), id="the first frame of a GIF"),
        pytest.param(animation("WEBP"), (255, 0, 0), id="the first frame of a WebP"),
        pytest.param(encoded(flat("RGB", (10, 20, 30)), "BMP"), (10, 20, 30), id="BMP"),
        pytest.param(encoded(flat("RGB", (10, 20, 30), (1, 1))), (10, 20, 30), id="one pixel"),
    ],
)
def test_what_can_be_decoded_is_decoded_rightly(content, colour):
    picture = decode(content, "picture")
    assert picture.mode == "RGB"
    pixels = np.asarray(picture).astype(int)
    assert np.abs(pixels - colour).max() <= 2


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (0, 1)), (3, (1, 1)), (4, (1, 0)), (5, (0, 0)), (6, (0, 1)), (7, (1, 1)), (8, (1, 0))],
)
def test_every_exif_orientation_is_turned_upright(orientation, corner):
    """A white corner at the top left of the stored picture is where the orientation says that it belongs."""
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(Image.fromarray(stored), "JPEG", exif=exif, quality=100), "x")
    assert picture.size == ((32, 16) if orientation < 5 else (16, 32))
    pixels = np.asarray(picture)[..., 0].astype(int)
    found = {(y, x): pixels[-3 if y else 3, -3 if x else 3] > 128 for y in (0, 1) for x in (0, 1)}
    assert [place for place, white in found.items() if white] == [corner]


JPEG = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)), "JPEG")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(JPEG[: len(JPEG) // 2], r"cannot be decoded \(image file is truncated", id="truncated"),
        pytest.param(JPEG[:200], "cannot be decoded|none of the formats", id="little but a header"),
        pytest.param(b"", "is an empty file; replace", id="zero bytes"),
        pytest.param(b"this is text", "in none of the formats JPEG, PNG", id="text"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "in none of the formats", id="PostScript"),
        pytest.param(png(20000, 20000), "is too large to decode .*; make it smaller", id="20000 x 20000"),
        pytest.param(png(2**31 - 1, 2**31 - 1), "is too large to decode", id="as large as PNG can say"),
        pytest.param(png(1, 20000), "is a strip of 1 x 20000; crop it", id="a strip"),
        pytest.param(encoded(flat("F", 0.5), "TIFF"), "has 32-bit values, whose white is not known", id="float"),
        pytest.param(encoded(flat("I", 70000), "TIFF"), "has 32-bit values, whose white is not known", id="32-bit"),
    ],
)
def test_what_cannot_be_decoded_is_named_with_what_to_do(content, message):
    with pytest.raises(DecodingError, match=message) as error:
        decode(content, "bad\n.jpg")
    assert str(error.value).startswith(r"image 'bad\n.jpg' ") and "\n" not in str(error.value)


def test_a_bomb_is_refused_before_it_is_unpacked():
    import tracemalloc

    bomb = png(60000, 60000, rows=bytes(10_000_000))
    tracemalloc.start()
    with pytest.raises(DecodingError, match="too large"):
        decode(bomb, "bomb")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


KINDS = {
    kind: encoded(Image.fromarray(np.arange(180, dtype=np.uint8).reshape(6, 10, 3)), kind)
    for kind in ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")
}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_broken_bytes_are_a_picture_or_one_line_and_nothing_else(data, kind):
    content = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        content = content or bytearray(b"x")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = decode(bytes(content), "x")
        except DecodingError as error:
            assert "image 'x' " in str(error) and "\n" not in str(error)
        else:
            assert picture.mode == "RGB" and np.asarray(picture).shape == (picture.height, picture.width, 3)
