"""What only a CUDA device can show: `pytest -m gpu`."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.colour_models import FORMS, colour_model
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.inference import devices
from mps_study.models.inference.onnx_file import read_graph
from mps_study.models.inference.painting.canvas import Canvas
from mps_study.models.inference.painting.painter import PREFIX, Painter
from mps_study.models.inference.tolerance import trial
from mps_study.mps.types import Picture

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(devices.cuda_fault() is not None, reason=f"no CUDA device: {devices.cuda_fault()}"),
]
SIDE = 64


def convolutions(path):
    """A small convolutional classifier with random weights, 3 x 64 x 64 -> 10 classes."""
    random = np.random.default_rng(0)
    values = {
        "w1": random.normal(0, 0.3, (32, 3, 5, 5)),
        "w2": random.normal(0, 0.1, (64, 32, 3, 3)),
        "w3": random.normal(0, 0.3, (64, 10)),
    }
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["a"], strides=[2, 2], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("GlobalAveragePool", ["d"], ["e"]),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("MatMul", ["f", "w3"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])
    weights = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "convolutions", [image], [logits], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def photo(seed=0):
    coarse = np.random.default_rng(seed).standard_normal((3, 8, 8)).astype(np.float32)
    return coarse.repeat(8, axis=1).repeat(8, axis=2) * 2


def test_every_operation_of_the_painter_runs_on_the_device(tmp_path):
    path = convolutions(tmp_path / "m.onnx")
    classifier = OnnxClassifier(path, "cuda", 16, 1)
    joined = Painter((3, SIDE, SIDE)).joined(read_graph(path), classifier.signature)
    options = devices.session_options("cuda")
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    provider = ("CUDAExecutionProvider", devices.provider_options("cuda"))
    session = devices.ort.InferenceSession(joined.SerializeToString(), options, providers=[provider])
    picture = Picture(photo(), np.zeros((3, 1, 1), np.float32))
    Canvas(session, classifier.signature, (3, SIDE, SIDE), "cuda", nullcontext()).output([trial(picture, 8)], 16)
    events = json.loads(Path(session.end_profiling()).read_text())
    places = {
        event["name"]: event["args"]["provider"]
        for event in events
        if event.get("cat") == "Node" and "provider" in event.get("args", {})
    }
    assert any(PREFIX in name for name in places)
    assert {name for name, provider in places.items() if provider != "CUDAExecutionProvider"} == set()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_input_is_answered_as_on_the_cpu(tmp_path, form):
    path = colour_model(tmp_path / "m.onnx", **FORMS[form][0])
    coarse = np.random.default_rng(1).uniform(0, 1, (3, 4, 4)).repeat(4, axis=1).repeat(4, axis=2)
    scale = 255 if FORMS[form][1].get("scale") == 255 else 1
    picture = Picture((scale * coarse).astype(np.float32), np.full((3, 1, 1), scale / 2, np.float32))
    one, other = (OnnxClassifier(path, device, 8, 1).classify([trial(picture, 20)]) for device in ("cpu", "cuda"))
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.confidences, other.confidences, atol=1e-3)


@pytest.mark.parametrize("strategy", ["rex", "minimal"])
def test_a_search_finds_the_same_at_every_batch_size(tmp_path, strategy):
    path = convolutions(tmp_path / "m.onnx")
    config = SearchConfig(strategy, keep_landscape=True)
    images = [(str(seed), photo(seed)) for seed in range(8)]
    found = [list(extract_mps(images, OnnxClassifier(path, "cuda", size, 1), config, 16)) for size in (1, 8, 64)]
    for records in found[1:]:
        for one, other in zip(found[0], records, strict=True):
            assert (one.status, one.target.label, one.evaluations) == (
                other.status,
                other.target.label,
                other.evaluations,
            )
            np.testing.assert_array_equal(one.mask, other.mask)


def test_a_batch_that_does_not_fit_is_halved_and_the_answers_stay(tmp_path, caplog, monkeypatch):
    path = convolutions(tmp_path / "m.onnx")
    picture = Picture(photo(), np.zeros((3, 1, 1), np.float32))
    expected = OnnxClassifier(path, "cuda", 64, 1).classify([trial(picture, 64)])
    options = devices.provider_options
    limit = {"gpu_mem_limit": str(200 << 20)}
    monkeypatch.setattr(devices, "provider_options", lambda *arguments: options(*arguments) | limit)
    large = OnnxClassifier(path, "cuda", 8192, 1)
    large.tolerance = 0.0
    with caplog.at_level("WARNING"):
        reply = large.classify([trial(picture, 64)])
    assert "does not fit into memory" in caplog.text
    assert large.batch_size < 8192
    np.testing.assert_allclose(reply.confidences, expected.confidences, atol=1e-3)


def test_a_lower_precision_is_measured_to_be_less_exact(tmp_path):
    path = convolutions(tmp_path / "m.onnx")
    picture = Picture(photo(), np.zeros((3, 1, 1), np.float32))
    off = {}
    for precision in ("fp32", "tf32", "fp16"):
        classifier = OnnxClassifier(path, "cuda", 64, 1, precision=precision)
        off[precision] = classifier.classify([trial(picture, 64)]).tolerance
    assert off["fp32"] < 1e-3 < off["fp16"]
    assert off["fp32"] < off["tf32"]
