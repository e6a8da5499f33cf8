"""The ONNX classifier: same answers in every batch, and clear refusals."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from mps_study import OnnxClassifier
from mps_study.models.inference import devices
from mps_study.models.inference.replies import reply_of_logits
from mps_study.mps.baselines import baseline_picture
from mps_study.mps.mutants import Boxes
from mps_study.mps.types import Slice
from reference.photos import pixels


def tiny_onnx(path, shape=("batch", 3, 8, 8), outputs=(("logits", ("batch", 5)),), kind=TensorProto.FLOAT):
    """An ONNX model that flattens its input and multiplies it with fixed weights."""
    size = int(np.prod([s for s in shape[1:] if isinstance(s, int)]))
    weights = np.random.default_rng(0).normal(size=(size, 5)).astype(np.float32)
    nodes = [helper.make_node("Flatten", ["image"], ["flat"])]
    nodes += [helper.make_node("MatMul", ["flat", "weights"], [name]) for name, _ in outputs]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in outputs],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


def questions(picture, n):
    """A slice of n mutants, each with one growing box."""
    boxes = np.zeros((n, 1, 4), dtype=np.int64)
    boxes[:, 0, 1] = boxes[:, 0, 3] = np.arange(1, n + 1) * (224 // n)
    return Slice(picture, Boxes((224, 224), boxes=boxes), 0, n)


def test_an_answer_does_not_depend_on_the_company_of_a_mutant(lite0_path):
    picture = baseline_picture(pixels()["coffee"], 0.0)
    part = questions(picture, 12)
    classifier = OnnxClassifier(lite0_path, device="cpu", batch_size=12)
    together = classifier.classify([part])
    alone = [classifier.classify([Slice(picture, part.mutants, i, i + 1)]) for i in range(12)]
    assert together.labels.tolist() == [reply.labels[0] for reply in alone]
    assert np.allclose(together.confidences, [reply.confidences[0] for reply in alone], atol=1e-6)


def test_a_batch_may_mix_images(lite0_path):
    photos = pixels()
    classifier = OnnxClassifier(lite0_path, device="cpu", batch_size=8)
    parts = [questions(baseline_picture(photos[key], 0.0), 3) for key in ("coffee", "rocket")]
    mixed = classifier.classify(parts)
    apart = [classifier.classify([part]) for part in parts]
    assert mixed.labels.tolist() == [*apart[0].labels, *apart[1].labels]


def test_the_batch_size_is_measured_when_it_is_not_given(tmp_path):
    classifier = OnnxClassifier(tiny_onnx(tmp_path / "m.onnx"), device="cpu")
    assert classifier.batch_size in (1, 2, 4, 8, 16)
    assert classifier.batch_size == classifier.batch_size


def test_a_model_with_a_fixed_batch_of_one_is_asked_one_by_one(tmp_path):
    path = tiny_onnx(tmp_path / "m.onnx", shape=(1, 3, 8, 8), outputs=(("logits", (1, 5)),))
    assert OnnxClassifier(path, device="cpu").batch_size == 1
    with pytest.raises(ValueError, match="batch axis is fixed at 1"):
        OnnxClassifier(path, device="cpu", batch_size=4)


def test_replies_are_softmax_of_the_logits_with_the_margin_to_the_second():
    logits = np.array([[1.0, 3.0, 2.5], [0.0, 0.0, -1.0], [np.nan, 1.0, 2.0]], dtype=np.float32)
    reply = reply_of_logits(logits)
    assert reply.labels.tolist() == [1, 0, -1]
    assert reply.confidences[0] == pytest.approx(np.exp(3) / np.exp([1, 3, 2.5]).sum(), rel=1e-6)
    assert reply.margins[:2].tolist() == [0.5, 0.0]
    assert np.isnan(reply.confidences[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": ("batch", 8, 8, 8)}, "neither axis 1 nor axis 3 tells how many channels it has"),
        ({"shape": ("batch", 192)}, "expected one float32 input"),
        ({"outputs": (("a", ("batch", 5, 2)),)}, "expected logits"),
    ],
)
def test_a_model_of_another_form_is_refused_with_what_was_found(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        OnnxClassifier(tiny_onnx(tmp_path / "m.onnx", **change), device="cpu")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.onnx"):
        OnnxClassifier(tmp_path / "nothing.onnx")


def test_an_image_of_the_wrong_size_is_refused_with_both_shapes(tmp_path):
    classifier = OnnxClassifier(tiny_onnx(tmp_path / "m.onnx"), device="cpu", batch_size=2)
    picture = baseline_picture(np.zeros((3, 9, 8), np.float32), 0.0)
    part = Slice(picture, Boxes((9, 8), boxes=np.array([[[0, 9, 0, 8]]])), 0, 1)
    with pytest.raises(ValueError, match=r"takes images of shape .*3, 8, 8.*got .*3, 9, 8"):
        classifier.classify([part])


def test_cuda_is_never_replaced_by_the_cpu_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "cuda_fault", lambda: "there is no driver")
    path = tiny_onnx(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"device cuda .*does not work here: there is no driver; .*mps-study\[cuda\]"):
        OnnxClassifier(path, device="cuda")
    assert OnnxClassifier(path, device="auto").device == "cpu"
    with pytest.raises(ValueError, match="device is 'gpu'"):
        OnnxClassifier(path, device="gpu")


def test_a_gpu_that_is_there_in_vain_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(devices, "cuda_fault", lambda: "there is no driver")
    monkeypatch.setattr(devices, "has_nvidia_device", lambda: True)
    with caplog.at_level("WARNING"):
        assert OnnxClassifier(tiny_onnx(tmp_path / "m.onnx")).device == "cpu"
    assert "the GPU is not used, the CPU is: there is no driver" in caplog.text
