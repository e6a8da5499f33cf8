"""What an exported model must agree with: every answer, its top-1, alone and in a batch; what own files must answer."""

import numpy as np
import pytest
from PIL import Image

from models.inference.test_bad_onnx import sometimes
from models.inference.test_tolerance import of_the_batch
from models.onnx_models import CLASSES, SIDE, logits, node, write_model
from mps_study import OnnxClassifier
from mps_study.models.export.export import export_model
from mps_study.models.export.exported import ParityError
from mps_study.models.export.from_timm import _check_parity
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.roster.roster import ModelEntry

PIXELS = np.random.default_rng(3).normal(size=(4, 3, SIDE, SIDE)).astype(np.float32)
PIXELS[0] *= 2  # its answers are the largest, of all four and of itself alone
ANSWERS = logits(PIXELS)
LARGEST = float(np.abs(ANSWERS[0]).max())


def parity(path, expected, tolerance, pixels=PIXELS):
    """Of a model whose answers to the pictures should be these (4, 5)."""
    return _check_parity("m", path, pixels, np.asarray(expected, np.float32), tolerance)


@pytest.mark.parametrize(("largest", "off"), [(0.01, 0.002), (0.9, 0.002), (100.0, 0.2)])
def test_a_difference_is_that_of_logits_and_a_share_of_the_largest_where_that_exceeds_one(tmp_path, largest, off):
    scale = np.float32(largest / LARGEST)
    path = write_model(
        tmp_path / "m.onnx", tail=[node("Mul", ["raw", "scale"], ["logits"])], constants={"scale": scale}
    )
    expected = ANSWERS * scale
    expected -= np.float32(off)
    assert parity(path, expected, 0.003).max_difference == pytest.approx(0.002, rel=0.01)
    with pytest.raises(ParityError, match=r"differ by .* on 4 images"):
        parity(path, expected, 0.001)


def test_another_top_1_is_refused_however_small_the_difference(tmp_path):
    path = write_model(tmp_path / "m.onnx")
    first, second = np.argsort(-ANSWERS[2])[:2]
    expected = ANSWERS.copy()
    expected[2, [first, second]] = expected[2, [second, first]]
    assert parity(path, ANSWERS, 10.0).images == 4
    with pytest.raises(ParityError, match="or in their top-1; the export is refused"):
        parity(path, expected, 10.0)


def test_a_model_that_answers_a_picture_alone_otherwise_than_in_a_batch_is_refused(tmp_path):
    path = of_the_batch(tmp_path / "m.onnx")
    pixels = PIXELS * np.float32([[[[0.25]]], [[[1]]], [[[1]]], [[[1]]]])  # the first in company of larger ones
    together = OnnxClassifier(path, "cpu", 4, 1).logits(pixels)
    with pytest.raises(ParityError):
        parity(path, together, 1e-4, pixels)


def test_answers_that_are_not_finite_are_no_parity(tmp_path):
    path = write_model(tmp_path / "m.onnx")
    with pytest.raises(ParityError, match="differ by inf"):
        parity(path, np.where(np.arange(CLASSES) == 1, np.nan, ANSWERS), 10.0)


def test_an_own_model_may_fail_on_some_pictures_but_not_on_all(tmp_path):
    """All logits are NaN where the first pixel is above 1: of white pictures, and of none that are black."""
    source = write_model(tmp_path / "own.onnx", **sometimes([np.nan] * CLASSES))
    plain = {"mean": [0.0] * 3, "std": [0.5] * 3, "crop_pct": 1.0}
    entry = ModelEntry(architecture="A", onnx=str(source), classes=CLASSES, preprocessing=plain)
    black, white = (Image.new("RGB", (SIDE, SIDE), (level,) * 3) for level in (40, 255))
    (tmp_path / "taken").mkdir()
    assert export_model("m", entry, [white, black], tmp_path / "taken").card.classes == CLASSES
    dark = sometimes([np.nan] * CLASSES)
    dark["constants"]["limit"] = np.float32([[-1]])  # every picture, its mutants too
    write_model(source, **dark)
    with pytest.raises(OnnxFileError, match="not finite on any of 8 pictures"):
        export_model("m", entry, [white, black], tmp_path / "taken")
