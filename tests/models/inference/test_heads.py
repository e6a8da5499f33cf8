"""What a model's output is: read from the end of its graph, said by the user, or refused; and the replies it gives."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from models.onnx_models import CLASSES, SIDE, logits, node, write_model
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.export.own_onnx import check_answers
from mps_study.models.inference.heads import Head, check_head
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.replies import reply_of_labels
from mps_study.mps.mutants import Masks
from mps_study.mps.types import FOUND, Picture, Slice

PIXELS = np.random.default_rng(1).normal(size=(6, 3, SIDE, SIDE)).astype(np.float32) / 8
LOGITS = logits(PIXELS)
F16 = TensorProto.FLOAT16
SCALE = {"step": np.float32(1 / 255), "zero": np.uint8(0)}
ONE = {"one": np.float32(1)}


def softmax(values):
    """Over the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(values):
    """Of each value."""
    return 1 / (1 + np.exp(-values))


def quantised(name, out):
    """To bytes and back."""
    return [
        node("QuantizeLinear", [name, "step", "zero"], [f"{name}_q"]),
        node("DequantizeLinear", [f"{name}_q", "step", "zero"], [out]),
    ]


def column(name, out, start):
    """One column of a tensor."""
    return node("Gather", [name, f"column{start}"], [out], axis=1), {f"column{start}": np.array([start])}


SOFT = node("Softmax", ["raw"], ["soft"], axis=1)
ENDS = {
    "softmax": ([node("Softmax", ["raw"], ["logits"], axis=1)], {}),
    "quantised": ([SOFT, *quantised("soft", "logits")], SCALE),
    "clipped": (
        [SOFT, node("Clip", ["soft", "low", "high"], ["logits"])],
        {"low": np.float32(1e-7), "high": np.float32(1)},
    ),
    "clipped by hand": (
        [SOFT, node("Max", ["soft", "low"], ["most"]), node("Min", ["high", "most"], ["logits"])],
        {"low": np.float32(0), "high": np.float32(1)},
    ),
    "cast to half and back": (
        [SOFT, node("Cast", ["soft"], ["half"], to=F16), node("Cast", ["half"], ["logits"], to=TensorProto.FLOAT)],
        {},
    ),
    "reshaped and squeezed": (
        [
            SOFT,
            node("Unsqueeze", ["soft", "two"], ["long"]),
            node("Squeeze", ["long", "two"], ["short"]),
            node("Identity", ["short"], ["logits"]),
        ],
        {"two": np.array([2])},
    ),
    "exponential of a log-softmax": (
        [node("LogSoftmax", ["raw"], ["log"], axis=1), node("Exp", ["log"], ["logits"])],
        {},
    ),
}


def classifier_of(path, tail, constants, outputs=(("logits", ("batch", CLASSES)),), **said):
    """A model with this end."""
    return OnnxClassifier(write_model(path, tail=tail, constants=constants, outputs=outputs), "cpu", 4, 1, **said)


@pytest.mark.parametrize("end", ENDS)
def test_a_softmax_is_known_through_what_passes_values_on(tmp_path, end):
    classifier = classifier_of(tmp_path / "m.onnx", *ENDS[end])
    assert classifier.head == Head("probabilities", CLASSES)
    rough = (
        1e-6
        if end in ("softmax", "clipped", "clipped by hand", "exponential of a log-softmax", "reshaped and squeezed")
        else 0.01
    )
    assert np.allclose(softmax(classifier.logits(PIXELS)), softmax(LOGITS), atol=rough)


@pytest.mark.parametrize(
    "tail",
    [
        [node("LogSoftmax", ["raw"], ["logits"], axis=1)],
        [SOFT, node("Log", ["soft"], ["logits"])],
        [node("Sigmoid", ["raw"], ["gate"]), node("Mul", ["raw", "gate"], ["logits"])],
    ],
)
def test_what_only_looks_like_a_softmax_or_sigmoid_stays_logits(tmp_path, tail):
    assert classifier_of(tmp_path / "m.onnx", tail, {}).head == Head("logits", CLASSES, known=False)


def binary(*tail, **constants):
    """A model whose raw output is one logit, z: the first column."""
    first, column0 = column("raw", "z", 0)
    return [first, *tail], {**column0, **constants}


LESS = node("Sub", ["one", "p"], ["q"])
P = node("Sigmoid", ["z"], ["p"])
TWO_CLASSES = {
    "one logit": (binary(node("Identity", ["z"], ["logits"])), 1, Head("logits", 1, known=False)),
    "one sigmoid": (binary(node("Sigmoid", ["z"], ["logits"])), 1, Head("sigmoid", 1)),
    "one sigmoid, clipped": (
        binary(P, node("Clip", ["p", "low"], ["logits"]), low=np.float32(1e-6)),
        1,
        Head("sigmoid", 1),
    ),
    "a sigmoid and one less it": (
        binary(P, LESS, node("Concat", ["q", "p"], ["logits"], axis=1), **ONE),
        2,
        Head("probabilities", 2),
    ),
    "the same quantised": (
        binary(P, LESS, node("Concat", ["q", "p"], ["both"], axis=1), *quantised("both", "logits"), **ONE, **SCALE),
        2,
        Head("probabilities", 2),
    ),
    "sigmoids of z and -z": (
        binary(
            node("Neg", ["z"], ["minus"]),
            node("Sigmoid", ["minus"], ["q"]),
            P,
            node("Concat", ["q", "p"], ["logits"], axis=1),
        ),
        2,
        Head("probabilities", 2),
    ),
}


@pytest.mark.parametrize("form", TWO_CLASSES)
def test_one_number_is_two_classes_with_the_confidence_of_the_one_that_is_given(tmp_path, form):
    (tail, constants), columns, head = TWO_CLASSES[form]
    classifier = classifier_of(tmp_path / "m.onnx", tail, constants, (("logits", ("batch", columns)),))
    assert (classifier.head, classifier.classes) == (head, 2)
    reply = classifier.head.reply(classifier.logits(PIXELS), named=np.ones(len(PIXELS), dtype=int))
    z = LOGITS[:, 0]
    assert {0, 1} == set(reply.labels.tolist())
    assert (reply.labels == (z > 0)).all()
    rough = 0.005 if form == "the same quantised" else 1e-5
    assert np.allclose(reply.confidences, np.maximum(sigmoid(z), sigmoid(-z)), atol=rough)
    if rough < 0.005:
        assert np.allclose(reply.log_odds, z, rtol=1e-3, atol=1e-3)
        assert np.allclose(reply.margins, np.abs(z), rtol=1e-3, atol=1e-3)


def test_the_second_column_of_a_softmax_is_the_probability_of_class_one(tmp_path):
    last, constant = column("soft", "logits", 1)
    classifier = classifier_of(tmp_path / "m.onnx", [SOFT, last], constant, (("logits", ("batch", 1)),))
    assert classifier.head == Head("sigmoid", 1)
    assert np.allclose(softmax(classifier.logits(PIXELS))[:, 1], softmax(LOGITS)[:, 1], atol=1e-6)


@pytest.mark.parametrize("said", [None, "sigmoid", "multi_label_logits"])
def test_a_set_for_a_label_keeps_that_labels_own_decision(tmp_path, said):
    tail = (
        [node("Sigmoid", ["raw"], ["logits"])]
        if said != "multi_label_logits"
        else [node("Identity", ["raw"], ["logits"])]
    )
    classifier = classifier_of(tmp_path / "m.onnx", tail, {}, output=said)
    assert classifier.head.multi_label
    present = np.flatnonzero(LOGITS[0] > 0)
    config = SearchConfig("minimal", granularity=1)
    for label in present.tolist():
        (record,) = extract_mps([("x", PIXELS[0])], classifier, config, targets=label)
        assert record.target.label == label and record.top is None
        assert record.target.confidence == pytest.approx(sigmoid(LOGITS[0, label]), abs=1e-5)
        if record.status == FOUND:
            alone = logits((PIXELS[0] * record.mask)[None])[0, label]
            assert alone > 0
            assert record.confidence == pytest.approx(sigmoid(alone), abs=1e-5)
    (record,) = extract_mps([("x", PIXELS[0])], classifier, config)
    assert record.target.label == LOGITS[0].argmax()


def test_a_multi_label_reply_is_about_the_label_that_decides():
    z = np.array([[2.0, 0.5, -1.0], [-0.5, -3.0, -0.25], [np.nan, 1.0, 1.0]], dtype=np.float32)
    none = 3
    reply = reply_of_labels(z, named=np.array([2, none, 0]))
    assert reply.labels.tolist() == [0, none, -1]
    assert np.allclose(reply.confidences[:2], sigmoid(np.array([2.0, 0.25])))
    assert reply.margins.tolist() == [1.5, 0.25, np.inf]
    assert np.allclose(reply.log_odds[:2], [-1.0, 0.25]) and np.isnan(reply.log_odds[2])
    of_one = reply_of_labels(z[:2], targets=np.array([1, 1]))
    assert of_one.labels.tolist() == [1, none]
    assert of_one.margins.tolist() == [0.5, 3.0]
    absent = reply_of_labels(z[:1], targets=np.array([2]))
    assert (absent.labels.tolist(), absent.margins.tolist()) == ([0], [1.0])


UNCLEAR = {
    "per cent": [SOFT, node("Mul", ["soft", "hundred"], ["logits"])],
    "a mean of two": [
        SOFT,
        node("Softmax", ["raw"], ["other"], axis=1),
        node("Mean", ["soft", "other"], ["logits"]),
    ],
    "the logarithm of sigmoids": [node("Sigmoid", ["raw"], ["p"]), node("Log", ["p"], ["logits"])],
    "the best in order": [SOFT, node("TopK", ["soft", "k"], ["logits", "where"], axis=1)],
}


@pytest.mark.parametrize("form", UNCLEAR)
def test_what_is_computed_from_a_softmax_is_refused_with_what_to_say(tmp_path, form):
    constants = {"hundred": np.float32(100), "k": np.array([CLASSES])}
    with pytest.raises(OnnxFileError, match=r"say which with `output: logits \| probabilities \| sigmoid \|") as error:
        classifier_of(tmp_path / "m.onnx", UNCLEAR[form], constants)
    assert "\n" not in str(error.value)
    assert classifier_of(tmp_path / "m.onnx", UNCLEAR[form], constants, output="probabilities").head.known


HIDDEN = {
    "a softmax by hand": [
        node("Exp", ["raw"], ["powers"]),
        node("ReduceSum", ["powers", "axis"], ["sum"], keepdims=1),
        node("Div", ["powers", "sum"], ["logits"]),
    ],
    "a sigmoid by hand": [
        node("Neg", ["raw"], ["minus"]),
        node("Exp", ["minus"], ["power"]),
        node("Add", ["power", "one"], ["more"]),
        node("Reciprocal", ["more"], ["logits"]),
    ],
}


@pytest.mark.parametrize("form", HIDDEN)
def test_outputs_that_all_lie_between_0_and_1_on_pictures_are_refused_until_somebody_says_what_they_are(tmp_path, form):
    constants = {"axis": np.array([1]), **ONE}
    classifier = classifier_of(tmp_path / "m.onnx", HIDDEN[form], constants)
    with pytest.raises(OnnxFileError, match=r"all of it lies in \[0, 1\].* say which with `output"):
        check_answers(classifier, PIXELS[:1])
    said = classifier_of(
        tmp_path / "m.onnx", HIDDEN[form], constants, output=form.split()[1].replace("softmax", "probabilities")
    )
    assert len(check_answers(said, PIXELS[:2])) == 8


def test_of_a_constant_output_nothing_is_told(tmp_path):
    nothing = [node("Mul", ["raw", "no"], ["logits"])]
    classifier = classifier_of(tmp_path / "m.onnx", nothing, {"no": np.float32(0)})
    assert len(check_answers(classifier, PIXELS[:1])) == 4


def test_logits_are_not_taken_for_probabilities_and_what_is_said_wrongly_is_refused(tmp_path):
    plain = [node("Identity", ["raw"], ["logits"])]
    assert check_answers(classifier_of(tmp_path / "m.onnx", plain, {}), PIXELS[:1])
    wrong = classifier_of(tmp_path / "m.onnx", plain, {}, output="sigmoid")
    with pytest.raises(OnnxFileError, match=r"said to be sigmoid, but reaches from -.*, outside of \[0, 1\]"):
        check_answers(wrong, PIXELS[:1])
    with pytest.raises(OnnxFileError, match="ends in a softmax, so it is no logits, but `output` says logits"):
        classifier_of(tmp_path / "m.onnx", *ENDS["softmax"], output="logits")
    with pytest.raises(ValueError, match="output 'scores' is unknown; known: logits, multi_label_logits"):
        classifier_of(tmp_path / "m.onnx", plain, {}, output="scores")


@pytest.mark.parametrize("form", [("batch", CLASSES, 1, 1), ("batch", 1, 1, CLASSES), ("batch", CLASSES, 1)])
def test_axes_of_size_1_are_none_of_the_output(tmp_path, form):
    shape = np.array([0 if size == "batch" else size for size in form])
    tail = [node("Reshape", ["raw", "shape"], ["logits"])]
    classifier = classifier_of(tmp_path / "m.onnx", tail, {"shape": shape}, (("logits", form),))
    assert np.allclose(classifier.logits(PIXELS), LOGITS, atol=1e-5)


def test_a_binary_output_without_an_axis_of_classes_is_one_logit(tmp_path):
    tail = [column("raw", "z", 0)[0], node("Squeeze", ["z", "axis"], ["logits"])]
    constants = {"column0": np.array([0]), "axis": np.array([1])}
    classifier = classifier_of(tmp_path / "m.onnx", tail, constants, (("logits", ("batch",)),))
    assert np.allclose(classifier.logits(PIXELS)[:, 1], LOGITS[:, 0], atol=1e-5)


def test_a_class_that_the_model_does_not_have_is_named(tmp_path):
    classifier = classifier_of(tmp_path / "m.onnx", [node("Identity", ["raw"], ["logits"])], {})
    whole = Masks((SIDE, SIDE), target=CLASSES, masks=np.ones((1, SIDE, SIDE), dtype=bool))
    picture = Picture(PIXELS[0], np.zeros((3, 1, 1), np.float32))
    with pytest.raises(ValueError, match=r"m\.onnx: class 5 is asked for, but its classes are 0 to 4"):
        classifier.classify([Slice(picture, whole, 0, 1)])


def test_a_local_function_at_the_end_is_looked_into(tmp_path):
    import onnx

    path = write_model(tmp_path / "m.onnx", tail=[helper.make_node("Mine", ["raw"], ["logits"], domain="own")])
    model = onnx.load(path)
    inside = [node("Softmax", ["given"], ["made"], axis=1)]
    opsets = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("own", "Mine", ["given"], ["made"], inside, opsets))
    model.opset_import.append(helper.make_opsetid("own", 1))
    onnx.save(model, path)
    assert OnnxClassifier(path, "cpu", 4, 1).head == Head("probabilities", CLASSES)


@pytest.mark.parametrize(
    ("form", "linear"),
    [
        ({}, True),
        (
            {
                "tail": [node("Add", ["raw", "bias"], ["logits"])],
                "constants": {"bias": np.full(CLASSES, 0.5, np.float32)},
            },
            True,
        ),
        ({"tail": [node("Abs", ["raw"], ["logits"])]}, False),
        ({"tail": [node("Relu", ["raw"], ["logits"])]}, False),
        ({"external": "weights.bin"}, False),
    ],
)
def test_a_linear_layer_with_weights_of_both_signs_gives_logits_wherever_they_lie(tmp_path, form, linear):
    """A dark picture can have all of its logits between 0 and 1."""
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", **form), "cpu", 4, 1)
    assert classifier.head.known == linear
    dark = [np.linspace(0.3, 0.7, CLASSES, dtype=np.float32)]
    if linear:
        check_head(classifier.head, dark, classifier.path)
    else:
        with pytest.raises(OnnxFileError, match="looks like probabilities"):
            check_head(classifier.head, dark, classifier.path)
