"""Batches against their rows: how far off they may be, lower precision, rows that depend on each other, memory."""

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from models.onnx_models import node, write_model
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.inference import batched as module
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.painting.painted import PaintedByNumpy
from mps_study.models.inference.replies import reply_of_logits
from mps_study.models.inference.tolerance import largest_difference, largest_difference_of_labels, trial
from mps_study.mps.mutants import Picture

PIXELS = np.random.default_rng(2).standard_normal((3, 8, 8)).astype(np.float32)
PICTURE = Picture(PIXELS, np.zeros((3, 1, 1), np.float32))


def of_the_batch(path):
    """A model that scales each row by what else is in the batch, as a dynamically quantised one does."""
    tail = [
        node("ReduceMax", ["raw"], ["most"], keepdims=0),
        node("Div", ["raw", "most"], ["share"]),
        node("Mul", ["share", "eight"], ["scaled"]),
        node("Round", ["scaled"], ["logits"]),
    ]
    return write_model(path, tail=tail, constants={"eight": np.array(8, np.float32)})


def test_a_model_whose_rows_depend_on_each_other_is_asked_one_at_a_time(tmp_path, caplog):
    path = of_the_batch(tmp_path / "m.onnx")
    images = [
        (str(seed), np.random.default_rng(seed).standard_normal((3, 8, 8)).astype(np.float32)) for seed in range(4)
    ]
    found = []
    for size in (1, 4, 16):
        with caplog.at_level("WARNING"):
            records = list(extract_mps(images, OnnxClassifier(path, "cpu", size, 1), SearchConfig(chunk_size=1)))
        found.append([(record.target, record.mask.tobytes()) for record in records])
    assert found[0] == found[1] == found[2]
    assert "m.onnx: the answer to an image depends on the batch that it is in" in caplog.text


def test_a_model_that_only_rounds_is_asked_in_batches(tmp_path):
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx"), "cpu", 16, 1)
    reply = classifier.classify([trial(PICTURE, 16)])
    assert classifier.batch_size == 16
    assert reply.tolerance < 1e-4


def test_half_precision_says_how_far_off_it_is_and_finds_the_same(tmp_path):
    path = write_model(tmp_path / "m.onnx")
    half = OnnxClassifier(path, "cpu", 16, 1, precision="fp16")
    full = OnnxClassifier(path, "cpu", 16, 1)
    assert 1e-4 < half.classify([trial(PICTURE, 16)]).tolerance < 0.5
    config = SearchConfig(chunk_size=1, keep_landscape=True)
    (one,), (other,) = (extract_mps([("x", PIXELS)], each, config) for each in (half, full))
    np.testing.assert_array_equal(one.mask, other.mask)
    np.testing.assert_array_equal(one.landscape, other.landscape)
    assert one.confidence == other.confidence  # of the set alone: in full precision


def test_tf32_on_a_cpu_is_refused(tmp_path):
    with pytest.raises(ValueError, match="precision is 'tf32', which only CUDA has, but the device is cpu; use fp32"):
        OnnxClassifier(write_model(tmp_path / "m.onnx"), "cpu", precision="tf32")


def test_a_batch_that_does_not_fit_into_memory_is_halved_and_that_is_remembered(tmp_path, monkeypatch, caplog):
    path = write_model(tmp_path / "m.onnx")
    classifier = OnnxClassifier(path, "cpu", painting="numpy")
    classifier.adopt(module.Throughput(batch_size=16, workers=1, evaluations_per_second=1.0, tolerance=0.0))
    classifier.measured = module.Throughput(batch_size=16, workers=1, evaluations_per_second=1.0)
    expected = classifier.classify([trial(PICTURE, 16)])
    output = PaintedByNumpy.output

    def of_a_small_device(self, batch, rows):
        if rows > 5:
            raise RuntimeException("Failed to allocate memory for requested buffer of size 1")
        return output(self, batch, rows)

    monkeypatch.setattr(PaintedByNumpy, "output", of_a_small_device)
    with caplog.at_level("WARNING"):
        reply = classifier.classify([trial(PICTURE, 16)])
    np.testing.assert_array_equal(reply.labels, expected.labels)
    assert classifier.batch_size == classifier.measured.batch_size == 4
    assert "a batch of 16 does not fit into memory; batches of 8 from now on" in caplog.text


def test_another_failure_is_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch):
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx"), "cpu", 16, 1)
    classifier.tolerance = 0.0

    def broken(self, batch, rows):
        raise RuntimeException("a kernel failed")

    monkeypatch.setattr(PaintedByNumpy, "output", broken)
    with pytest.raises((RuntimeException, OnnxFileError), match="a kernel failed"):
        classifier.classify([trial(PICTURE, 16)])
    assert classifier.batch_size == 16


def test_margins_are_those_of_the_target_where_one_is_named():
    logits = np.array([[3.0, 2.0, 1.9], [3.0, 2.0, 1.9], [3.0, 2.0, 1.9]], dtype=np.float32)
    margins = reply_of_logits(logits, targets=np.array([0, 1, -1])).margins
    np.testing.assert_allclose(margins, [1.0, 1.0, 1.0], atol=1e-6)
    margins = reply_of_logits(logits, targets=np.array([2, 1, 0])).margins
    np.testing.assert_allclose(margins, [1.1, 1.0, 1.0], atol=1e-6)


def test_the_difference_is_that_of_the_target_alone():
    alone = np.array([[2.0, 1.0, 0.0, -20.0]], dtype=np.float32)
    together = np.array([[2.0, 1.0, 0.0, -19.0]], dtype=np.float32)
    assert largest_difference(alone, together, 0) < 1e-6
    assert largest_difference(alone, together + np.array([0.25, 0, 0, 0], np.float32), 0) == pytest.approx(
        0.25, abs=1e-3
    )
    assert largest_difference(alone, np.full_like(alone, np.nan), 0) == float("inf")


def test_where_the_model_is_slow_no_second_painting_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRIAL_SECONDS", 0.0)
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx"), "cpu", 4)
    assert classifier.workers >= 1
    assert classifier.measured.painting == "numpy"


def test_the_faster_painting_is_chosen(tmp_path, monkeypatch):
    path = write_model(tmp_path / "m.onnx")
    for rates, chosen in (([100.0, 103.0], "graph"), ([100.0, 101.0], "numpy")):
        said = iter(rates * 2)
        monkeypatch.setattr(module, "rate_of", lambda *_, said=said: next(said))
        classifier = OnnxClassifier(path, "cpu", 4)
        assert classifier.workers >= 1
        assert classifier.measured.painting == chosen
        assert classifier.classify([trial(PICTURE, 4)]).labels.shape == (4,)


def test_a_target_that_loses_its_place_in_company_is_off_by_both_margins():
    """Alone .1 above the best other class, together .1 below it: an answer is .2 away, though no logit is."""
    alone = np.array([[1.0, 0.9, 0.9]], dtype=np.float32)
    together = np.array([[0.9, 1.0, 0.9]], dtype=np.float32)
    assert largest_difference(alone, together, 0) == pytest.approx(0.2, abs=1e-6)


def test_rows_that_are_finite_in_one_of_both_alone_are_infinitely_far_apart():
    finite, other = np.array([[1.0, 0.0], [2.0, 0.0]], dtype=np.float32), np.array([[np.nan, 0.0], [2.0, 0.0]])
    for difference in (lambda a, b: largest_difference(a, b, 0), largest_difference_of_labels):
        assert difference(finite, other) == difference(other, finite) == float("inf")
        assert difference(other, other) == difference(finite, finite) == 0
        assert difference(other, other + np.float32([0.5, 0])) == pytest.approx(0.5, abs=1e-6)
