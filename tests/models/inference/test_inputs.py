"""What a model's input is: its type, size, scale, order of channels, open axes; and failures while it runs."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from models.colour_models import BYTES, FORMS, PLAIN, colour_model
from models.onnx_models import node
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.export.card import ModelCard
from mps_study.models.export.own_onnx import preprocessing_of_onnx
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.preprocessing import Preprocessing, implausible
from mps_study.models.inference.throughput import Throughput


def picture(size=(40, 30)):
    """Mostly grey, with a red patch: a class of its own, and more of red than of blue or green."""
    noise = np.random.default_rng(0).integers(100, 110, (size[1], size[0], 3), dtype=np.uint8)
    noise[3:15, 3:18] = (230, 20, 30)
    return Image.fromarray(noise)


@pytest.mark.parametrize("form", FORMS)
def test_inputs_of_every_type_and_scale_give_the_same_set(tmp_path, form):
    made, fields = FORMS[form]
    classifier = OnnxClassifier(colour_model(tmp_path / "m.onnx", **made), "cpu", 4, 1)
    preprocessing = preprocessing_of_onnx(classifier, fields)
    pixels = preprocessing.pixels(picture())
    (record,) = extract_mps([("x", pixels)], classifier, SearchConfig(iterations=2, chunk_size=2))
    floats = OnnxClassifier(colour_model(tmp_path / "float.onnx", ("batch", 3, 16, 16)), "cpu", 4, 1)
    known = Preprocessing(input_size=16, **PLAIN).pixels(picture())
    (expected,) = extract_mps([("x", known)], floats, SearchConfig(iterations=2, chunk_size=2))
    assert record.target.label == expected.target.label == 0
    assert record.target.confidence == pytest.approx(expected.target.confidence, abs=2e-3)
    assert (record.mask == expected.mask).all()


def test_a_model_that_is_not_square_gets_masks_of_its_height_and_width(tmp_path):
    classifier = OnnxClassifier(colour_model(tmp_path / "m.onnx", ("batch", 3, 16, 32)), "cpu", 4, 1)
    preprocessing = preprocessing_of_onnx(classifier, PLAIN)
    assert (preprocessing.input_size, preprocessing.shape) == ((16, 32), (3, 16, 32))
    assert preprocessing.seen(picture()).shape == (16, 32, 3)
    assert preprocessing.view(40, 30) == (0, 0, 30, 40)
    for strategy in ("rex", "minimal"):
        (record,) = extract_mps([("x", preprocessing.pixels(picture()))], classifier, SearchConfig(strategy))
        assert record.mask.shape == (16, 32)
    with pytest.raises(
        OnnxFileError, match=r"input is 16 x 32, but preprocessing.input_size is 32 x 16; .*height, width"
    ):
        preprocessing_of_onnx(classifier, {**PLAIN, "input_size": [32, 16]})


def test_blue_comes_first_where_channels_say_so():
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    fields = {"input_size": 8, "mean": (0.1, 0.2, 0.3), "std": (1.0, 1.0, 1.0)}
    swapped = Preprocessing(**fields, channels="bgr").pixels(red)
    assert swapped[:, 0, 0] == pytest.approx([-0.1, -0.2, 0.7])
    border = {"crop_mode": "border", "crop_pct": 1.0}
    padded = Preprocessing(**fields, channels="bgr", **border).pixels(Image.new("RGB", (8, 2)))
    assert padded[:, 0, 0] == pytest.approx([0, 0, 0], abs=2e-3)  # the border has the mean, in the model's order
    with pytest.raises(ValueError, match="channels is bgr, but mean and std have one number"):
        Preprocessing(input_size=8, mean=(0.5,), std=(0.5,), channels="bgr")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)}, "mean reaches 123.7 and std 58.4.*`scale: 255`"),
        ({"mean": (0.5, 0.5, 0.5), "std": (58.4, 57.1, 57.4)}, "std reaches 58.4"),
        ({"scale": 255.0}, "mean is at most 0.485, but with `scale: 255`"),
    ],
)
def test_a_mean_of_another_scale_is_told(fields, message):
    import re

    assert re.search(message, implausible(Preprocessing(input_size=8, **fields)) or "")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)},
        {"mean": (103.9, 116.8, 123.7), "std": (1.0, 1.0, 1.0), "scale": 255.0, "channels": "bgr"},
        {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "scale": 255.0},
        {"mean": (0.0,), "std": (1 / 255,)},
        {"mean": (1.0, 1.0, 1.0), "std": (2.0, 2.0, 2.0)},
        {"mean": (255.0,) * 3, "std": (510.0,) * 3, "scale": 255.0},
    ],
)
def test_a_mean_that_can_be_of_its_scale_is_left_alone(fields):
    assert implausible(Preprocessing(input_size=8, **fields)) is None


@pytest.mark.parametrize("size", [[32], [32, 0], [32.0, 32], "32", True, [1, 2, 3], 0, 20_000])
def test_an_input_size_is_a_side_or_height_and_width(size):
    with pytest.raises(
        ValueError, match=r"whole number, the side of a square, or \[height, width\]|sides from 1 to 10000"
    ):
        Preprocessing(input_size=size)
    assert Preprocessing(input_size=[32, 32]) == Preprocessing(input_size=32)


def test_bytes_are_not_normalised(tmp_path):
    classifier = OnnxClassifier(colour_model(tmp_path / "m.onnx", ("batch", 3, 16, 16), BYTES, 255), "cpu", 4, 1)
    assert (
        preprocessing_of_onnx(classifier, {"crop_pct": 1.0}).pixels(Image.new("RGB", (9, 9), (255, 7, 0))).max() == 255
    )
    for fields in ({"mean": (0.5, 0.5, 0.5)}, {"std": (0.2, 0.2, 0.2)}, {"scale": 1.0}):
        with pytest.raises(OnnxFileError, match=r"takes whole numbers from 0 to 255 \(uint8\).*leave all three out"):
            preprocessing_of_onnx(classifier, fields)


@pytest.mark.parametrize(
    ("form", "shape"),
    [((3, 16, 3), (3, 16, 3)), ((16, 16, 3), (3, 16, 16)), ((3, 16, 16), (3, 16, 16)), ((16, 12, 5), (5, 16, 12))],
)
def test_channels_lie_behind_only_where_axis_1_cannot_be_theirs(tmp_path, form, shape):
    classifier = OnnxClassifier(colour_model(tmp_path / "m.onnx", ("batch", *form)), "cpu", 4, 1)
    assert classifier.input_shape == shape


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT8, TensorProto.BOOL])
def test_an_input_of_another_type_is_refused(tmp_path, kind):
    with pytest.raises(OnnxFileError, match=r"another type of float32, float16, float64, uint8\), but the model takes"):
        OnnxClassifier(colour_model(tmp_path / "m.onnx", ("batch", 3, 16, 16), kind), "cpu", 4, 1)


def test_four_channels_are_asked_with_pixels_of_ones_own(tmp_path):
    path = saved(
        tmp_path / "m.onnx",
        [node("ReduceMean", ["image", "axes"], ["means"], keepdims=0), node("Mul", ["means", "ten"], ["logits"])],
        {"axes": np.array([2, 3]), "ten": np.float32(10)},
        classes=4,
        channels=4,
    )
    pixels = np.zeros((4, 16, 16), dtype=np.float32)
    pixels[3, 2:9, 3:12] = 1
    (record,) = extract_mps([("x", pixels)], OnnxClassifier(path, "cpu", 4, 1), SearchConfig("minimal", granularity=1))
    assert record.target.label == 3 and (pixels[3][record.mask] == 1).all()
    with pytest.raises(OnnxFileError, match=r"the input has 4 channels, .* give 4 numbers in each of them"):
        preprocessing_of_onnx(OnnxClassifier(path, "cpu", 4, 1), {})


FIXED_INSIDE = {
    "head": [node("Reshape", ["scaled", "form"], ["made"])],
    "constants": {"form": np.array([-1, 3, 16, 16])},
}


def test_the_speed_of_a_model_with_open_axes_is_measured_at_the_size_of_its_pictures(tmp_path):
    path = colour_model(tmp_path / "m.onnx", ("batch", "c", "h", "w"), **FIXED_INSIDE)
    pixels = Preprocessing(input_size=16, **PLAIN).pixels(picture())
    (record,) = extract_mps([("x", pixels)], OnnxClassifier(path, "cpu"), SearchConfig(iterations=1))
    assert record.mask.shape == (16, 16)
    assert OnnxClassifier(path, "cpu", shape=(3, 16, 16)).batch_size >= 1


def test_a_failure_while_the_model_runs_is_one_line_with_its_name(tmp_path):
    path = colour_model(
        tmp_path / "m.onnx",
        ("batch", 3, "h", "w"),
        head=FIXED_INSIDE["head"],
        constants={"form": np.array([1, 3, 7, -1])},
    )
    pixels = np.zeros((3, 16, 16), dtype=np.float32)
    for classifier in (
        OnnxClassifier(path, "cpu", 4, 1),
        OnnxClassifier(path, "cpu", 4, 1, painting="graph"),
        OnnxClassifier(path, "cpu"),
    ):
        with pytest.raises(
            OnnxFileError, match=r"m\.onnx: ONNX Runtime fails while the model runs on .* of 3 x"
        ) as error:
            list(extract_mps([("x", pixels)], classifier, SearchConfig()))
        assert "\n" not in str(error.value) and "RuntimeError" not in str(error.value)


def dynamically_quantised(path):
    """A linear layer whose scale is taken over the whole batch."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(48, 6)).astype(np.float32)
    step = np.abs(weights).max() / 127
    values = {"quantised": np.round(weights / step).astype(np.int8), "step": np.float32(step)}
    nodes = [
        node("AveragePool", ["image"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Flatten", ["pooled"], ["flat"]),
        node("DynamicQuantizeLinear", ["flat"], ["bytes", "scale", "zero"]),
        node("MatMulInteger", ["bytes", "quantised", "zero"], ["whole"]),
        node("Cast", ["whole"], ["sums"], to=TensorProto.FLOAT),
        node("Mul", ["sums", "scale"], ["scaled"]),
        node("Mul", ["scaled", "step"], ["logits"]),
    ]
    return saved(path, nodes, values, 6)


def normalised_by_batch(path):
    """Logits that are divided by the largest of the batch, in a way that no name of an operator tells."""
    weights = np.random.default_rng(1).normal(size=(768, 6)).astype(np.float32)
    nodes = [
        node("Flatten", ["image"], ["flat"]),
        node("MatMul", ["flat", "weights"], ["sums"]),
        node("Abs", ["sums"], ["sizes"]),
        node("ReduceMax", ["sizes"], ["most"], keepdims=0),
        node("Div", ["sums", "most"], ["shares"]),
        node("Mul", ["shares", "five"], ["logits"]),
    ]
    return saved(path, nodes, {"weights": weights, "five": np.float32(5)}, 6)


def saved(path, nodes, values, classes, channels=3):
    """A model (batch, channels, 16, 16) -> (batch, classes)."""
    graph = helper.make_graph(
        nodes,
        "rows",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", channels, 16, 16))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("batch", classes))],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


@pytest.mark.parametrize("make", [dynamically_quantised, normalised_by_batch])
def test_a_model_whose_rows_depend_on_their_batch_is_asked_one_at_a_time(tmp_path, make, caplog):
    path = make(tmp_path / "m.onnx")
    pixels = Preprocessing(input_size=16, **PLAIN).pixels(picture())
    config = SearchConfig(iterations=2, chunk_size=2)
    found = []
    for batch_size in (1, 4, 16, 64, None):
        caplog.clear()
        classifier = OnnxClassifier(path, "cpu", batch_size, None if batch_size is None else 1)
        (record,) = extract_mps([("x", pixels)], classifier, config)
        found.append((record.status, record.mask.tobytes(), record.confidence))
        assert classifier.batch_size == 1
        if batch_size is not None:  # measured, one may be the fastest anyway
            assert ("it is asked one image at a time" in caplog.text) == (batch_size != 1)
    assert all(each == found[0] for each in found)


def test_what_was_once_measured_does_not_put_dynamic_scales_into_batches(tmp_path):
    classifier = OnnxClassifier(dynamically_quantised(tmp_path / "m.onnx"), "cpu")
    classifier.adopt(Throughput(batch_size=16, workers=1, evaluations_per_second=1.0))
    assert classifier.batch_size == 1


CARD = {
    "name": "a",
    "architecture": "A",
    "timm": None,
    "weights": "m.onnx",
    "classes": 10,
    "class_names": "sample",
    "preprocessing": {"input_size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_pct": 0.9},
    "opset": 17,
    "digest": "d",
    "request": "r",
    "parity": None,
}


def test_a_stored_card_is_read_and_keeps_its_part_of_the_fingerprint():
    card = ModelCard.model_validate(CARD)
    assert (card.preprocessing.scale, card.preprocessing.channels, card.output) == (1.0, "rgb", None)
    usual = {"crop_mode": "center", "interpolation": "bicubic"}
    assert card.fingerprint_facts == {"digest": "d", "preprocessing": CARD["preprocessing"] | usual}


def test_what_changes_a_pixel_or_a_reply_changes_the_fingerprint():
    card = ModelCard.model_validate(CARD)
    changes = [{"scale": 255.0}, {"channels": "bgr"}, {"input_size": [224, 112]}]
    cards = [ModelCard.model_validate({**CARD, "preprocessing": CARD["preprocessing"] | change}) for change in changes]
    cards.append(ModelCard.model_validate({**CARD, "output": "sigmoid"}))
    facts = [each.fingerprint_facts for each in (card, *cards)]
    assert all(one != other for i, one in enumerate(facts) for other in facts[:i])
    assert ModelCard.model_validate_json(cards[2].model_dump_json()) == cards[2]
