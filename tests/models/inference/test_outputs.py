"""Outputs that are not what they seem, several of them, and several labels with another threshold than .5."""

import math

import numpy as np
import pytest

from models.inference.test_heads import LOGITS, PIXELS, SOFT, binary, classifier_of, column, sigmoid, softmax
from models.onnx_models import CLASSES, SIDE, node, write_model
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.export.card import ModelCard
from mps_study.models.export.export import export_model
from mps_study.models.export.own_onnx import check_answers
from mps_study.models.inference.heads import Head, check_head
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.replies import reply_of_labels
from mps_study.models.roster.outputs import LabelsOutput, output_said
from mps_study.models.roster.roster import ModelEntry
from mps_study.mps.mutants import Masks
from mps_study.mps.types import FOUND, Picture, Slice

PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3, "crop_pct": 1.0}
ELSEWHERE = {
    "over the batch": [node("Softmax", ["raw"], ["logits"], axis=0)],
    "over the batch, turned twice": [
        node("Transpose", ["raw"], ["turned"], perm=[1, 0]),
        node("Softmax", ["turned"], ["soft"], axis=1),
        node("Transpose", ["soft"], ["logits"], perm=[1, 0]),
    ],
    "over one column each": [
        node("Unsqueeze", ["raw", "last"], ["each"]),
        node("Softmax", ["each"], ["soft"], axis=2),
        node("Squeeze", ["soft", "last"], ["logits"]),
    ],
}


@pytest.mark.parametrize("form", ELSEWHERE)
def test_a_softmax_over_another_axis_is_told_by_its_sum(tmp_path, form):
    classifier = classifier_of(tmp_path / "m.onnx", ELSEWHERE[form], {"last": np.array([2])})
    with pytest.raises(OnnxFileError, match=r"they sum to 5 and not to 1, as where a softmax is over another axis"):
        check_answers(classifier, PIXELS[:1])


@pytest.mark.parametrize(
    ("scale", "zero"), [(1 / 256, np.uint8(0)), (1 / 255, np.uint8(0)), (1 / 256, np.int8(-128)), (1 / 127, np.int8(0))]
)
def test_coarsely_quantised_probabilities_still_are_some(tmp_path, scale, zero):
    tail = [
        SOFT,
        node("QuantizeLinear", ["soft", "step", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "step", "zero"], ["logits"]),
    ]
    classifier = classifier_of(tmp_path / "m.onnx", tail, {"step": np.float32(scale), "zero": zero})
    assert classifier.head == Head("probabilities", CLASSES)
    assert check_answers(classifier, PIXELS)
    assert np.allclose(softmax(classifier.logits(PIXELS)), softmax(LOGITS), atol=0.02)


@pytest.mark.parametrize("kind", ["Tanh", "Softsign", "Softplus", "Erf", "Exp", "LpNormalization"])
def test_values_that_are_bent_or_scaled_are_no_logits_until_somebody_says_so(tmp_path, kind):
    tail = [node(kind, ["raw"], ["logits"])]
    with pytest.raises(OnnxFileError, match=r"bends or scales its values, so that they may be no logits; say which"):
        classifier_of(tmp_path / "m.onnx", tail, {})
    assert classifier_of(tmp_path / "m.onnx", tail, {}, output="logits").head == Head("logits", CLASSES)


def test_logits_under_a_soft_cap_are_logits(tmp_path):
    tail = [node("Tanh", ["raw"], ["bent"]), node("Mul", ["bent", "thirty"], ["logits"])]
    assert classifier_of(tmp_path / "m.onnx", tail, {"thirty": np.float32(30)}).head.output == "logits"


def test_a_softmax_over_one_column_is_refused(tmp_path):
    tail, constants = binary(node("Softmax", ["z"], ["logits"], axis=1))
    with pytest.raises(OnnxFileError, match="a softmax over one column, which is always 1"):
        classifier_of(tmp_path / "m.onnx", tail, constants, outputs=[("logits", ("batch", 1))])


def test_a_model_that_answers_the_same_picture_differently_is_refused(tmp_path):
    tail = [node("RandomNormalLike", ["raw"], ["noise"]), node("Add", ["raw", "noise"], ["logits"])]
    with pytest.raises(OnnxFileError, match="answers the same picture differently each time, as with dropout"):
        check_answers(classifier_of(tmp_path / "m.onnx", tail, {}), PIXELS[:2])


TWO = {
    "tail": [node("Identity", ["flat"], ["features"]), node("Identity", ["raw"], ["logits"])],
    "outputs": [("features", ("batch", 3 * SIDE * SIDE)), ("logits", ("batch", CLASSES))],
}


def test_which_of_several_outputs_is_that_of_the_classes_is_told_by_their_number(tmp_path):
    path = write_model(tmp_path / "m.onnx", **TWO)
    with pytest.raises(OnnxFileError, match=r"It has 'features' of 192, 'logits' of 5 columns; say how many classes"):
        OnnxClassifier(path, "cpu", 1, 1)
    classifier = OnnxClassifier(path, "cpu", 1, 1, classes=CLASSES)
    assert classifier.signature.output == "logits"
    assert np.allclose(classifier.logits(PIXELS), LOGITS, atol=1e-5)


def test_a_label_is_there_above_its_threshold_and_its_confidence_stays_its_own():
    z = np.array([[0.2, -0.5], [-1.5, -1.0], [1.0, 3.0]], dtype=np.float32)
    edge = math.log(0.3 / 0.7)
    reply = reply_of_labels(z, edge=edge)
    assert reply.labels.tolist() == [0, 2, 1]
    assert np.allclose(reply.confidences, sigmoid(np.array([0.2, 1.0, 3.0])))
    assert np.allclose(reply.margins, [0.2 - edge if 0.2 - edge < 0.7 else 0.7, edge + 1.0, 2.0], atol=1e-6)
    of_second = reply_of_labels(z, targets=np.array([1, 1, 0]), edge=edge)
    assert of_second.labels.tolist() == [1 if edge < -0.5 else 0, 2, 0]
    assert np.allclose(of_second.margins, np.abs(np.array([-0.5, -1.0, 1.0]) - edge), atol=1e-6)


def test_a_set_keeps_its_label_above_the_threshold(tmp_path):
    path = write_model(tmp_path / "m.onnx", tail=[node("Sigmoid", ["raw"], ["logits"])])
    found = {}
    for threshold in (0.5, 0.9):
        classifier = OnnxClassifier(path, "cpu", 4, 1, output={"kind": "sigmoid", "threshold": threshold})
        assert classifier.head == Head("sigmoid", CLASSES, threshold=threshold)
        images = [("a", PIXELS[0] * 2)]
        (found[threshold],) = extract_mps(images, classifier, SearchConfig("minimal", granularity=1))
        assert found[threshold].status == FOUND and found[threshold].confidence > threshold
    assert found[0.5].confidence < 0.9
    assert found[0.5].target == found[0.9].target


def test_a_threshold_of_a_half_says_nothing_more_than_the_kind():
    assert output_said({"kind": "sigmoid", "threshold": 0.5}) == output_said("sigmoid") == "sigmoid"
    assert output_said({"kind": "sigmoid", "threshold": np.float32(0.25)}) == LabelsOutput(
        kind="sigmoid", threshold=0.25
    )
    entry = {"architecture": "A", "onnx": "m.onnx", "classes": 5}
    plain, half, other = (
        ModelEntry(**entry, output=output)
        for output in ("sigmoid", {"kind": "sigmoid", "threshold": 0.5}, {"kind": "sigmoid", "threshold": 0.3})
    )
    assert plain.facts == half.facts and other.facts["output"] == {"kind": "sigmoid", "threshold": 0.3}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("sigmid", "output 'sigmid' is unknown; did you mean 'sigmoid'"),
        (7, "output is 7; use logits, probabilities"),
        ({"kind": "sigmoid", "treshold": 0.3}, "as a mapping it has `kind` and `threshold`"),
        ({"threshold": 0.3}, "as a mapping it has `kind` and `threshold`"),
        ({"kind": "sigmoid", "threshold": 1}, "output.threshold is 1; use a number above 0 and below 1"),
        ({"kind": "sigmoid", "threshold": True}, "output.threshold is True; use a number"),
        ({"kind": "logits", "threshold": 0.3}, "output.threshold is for several labels"),
    ],
)
def test_an_output_that_is_none_is_told_in_one_line(output, said):
    with pytest.raises(ValueError, match=said) as error:
        output_said(output)
    assert "\n" not in str(error.value)


def test_a_threshold_is_refused_where_there_are_no_labels(tmp_path):
    said = {"kind": "sigmoid", "threshold": 0.3}
    with pytest.raises(OnnxFileError, match=r"is one distribution, but output\.threshold is for several labels"):
        classifier_of(tmp_path / "m.onnx", [node("Softmax", ["raw"], ["logits"], axis=1)], {}, output=said)
    tail, constants = binary(node("Sigmoid", ["z"], ["logits"]))
    with pytest.raises(OnnxFileError, match="is one column, but"):
        classifier_of(tmp_path / "m.onnx", tail, constants, outputs=[("logits", ("batch", 1))], output=said)


def card_of(tmp_path, name, tail, constants=None, **fields) -> ModelCard:
    """The card of an adopted model with this end."""
    path = write_model(tmp_path / f"{name}.onnx", tail=tail, constants=constants)
    entry = ModelEntry(architecture="A", onnx=str(path), classes=CLASSES, preprocessing=PLAIN, **fields)
    (tmp_path / name).mkdir()
    return export_model(name, entry, [], tmp_path / name).card


def test_only_records_of_an_output_that_was_once_taken_for_logits_have_another_fingerprint(tmp_path):
    quantised = [
        SOFT,
        node("QuantizeLinear", ["soft", "step", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "step", "zero"], ["logits"]),
    ]
    misread = card_of(tmp_path, "quantised", quantised, {"step": np.float32(1 / 255), "zero": np.uint8(0)})
    assert misread.fingerprint_facts["head"] == "probabilities"
    clipped = [node("Sigmoid", ["raw"], ["p"]), node("Clip", ["p", "low"], ["logits"])]
    assert card_of(tmp_path, "labels", clipped, {"low": np.float32(0)}).fingerprint_facts["head"] == "sigmoid"
    ends = {
        "plain": [node("Identity", ["raw"], ["logits"])],
        "log": [node("LogSoftmax", ["raw"], ["logits"], axis=1)],
        "soft": [SOFT, node("Identity", ["soft"], ["logits"])],
    }
    for name, tail in ends.items():
        assert set(card_of(tmp_path, name, tail).fingerprint_facts) == {"digest", "preprocessing"}, name


SURE, ASSUMED = Head("probabilities", 2), Head("logits", 2, known=False)


@pytest.mark.parametrize(("beyond", "probabilities"), [(1e-4, True), (0.01, False), (0.05, False)])
def test_rounding_takes_a_probability_a_little_beyond_1_and_no_further(tmp_path, beyond, probabilities):
    answers = [np.array([1 + beyond, -beyond], np.float32), np.array([0.3, 0.7], np.float32)]
    refused, taken = (ASSUMED, SURE) if probabilities else (SURE, ASSUMED)
    check_head(taken, answers, tmp_path / "m.onnx")
    with pytest.raises(OnnxFileError, match=r"looks like probabilities|outside of \[0, 1\]"):
        check_head(refused, answers, tmp_path / "m.onnx")


def test_answers_that_are_not_finite_say_nothing_of_what_the_output_is(tmp_path):
    shares, nothing = np.array([0.25, 0.75], np.float32), np.array([np.nan, np.inf], np.float32)
    check_head(SURE, [nothing, shares, nothing], tmp_path / "m.onnx")
    check_head(ASSUMED, [nothing], tmp_path / "m.onnx")
    with pytest.raises(OnnxFileError, match="looks like probabilities"):
        check_head(ASSUMED, [nothing, shares, nothing], tmp_path / "m.onnx")


def test_some_of_the_columns_of_a_softmax_are_neither_classes_nor_labels(tmp_path):
    """Two or more of a distribution sum to less than 1: whether the others are a class, only the user knows."""
    tail = [SOFT, node("Slice", ["soft", "from", "to", "axis"], ["logits"])]
    constants = {"from": np.array([1]), "to": np.array([4]), "axis": np.array([1])}
    with pytest.raises(OnnxFileError, match="made of a softmax or sigmoid in a way that does not say what it is"):
        classifier_of(tmp_path / "m.onnx", tail, constants, outputs=[("logits", ("batch", 3))])


def test_an_output_of_one_column_is_read_only_where_there_is_none_of_the_classes(tmp_path):
    first, constants = column("raw", "score", 0)
    tail = [first, node("Identity", ["raw"], ["logits"])]
    outputs = [("score", ("batch", 1)), ("logits", ("batch", CLASSES))]
    classifier = classifier_of(tmp_path / "m.onnx", tail, constants, outputs=outputs)
    assert (classifier.signature.output, classifier.classes) == ("logits", CLASSES)
    assert classifier_of(tmp_path / "m.onnx", tail[:1], constants, outputs=outputs[:1]).signature.output == "score"
    two, more = column("raw", "other", 1)
    both = [first, two, node("Concat", ["score", "other"], ["logits"], axis=1)]
    path = write_model(
        tmp_path / "m.onnx", tail=both, constants=constants | more, outputs=[outputs[0], ("logits", ("batch", 2))]
    )
    assert OnnxClassifier(path, "cpu", 4, 1, classes=2).signature.output == "logits"  # of two classes are both


def test_a_model_answers_its_last_class_too(tmp_path):
    """And one with several labels the class that is none of them."""
    picture = Picture(PIXELS[0], np.zeros((3, 1, 1), np.float32))
    for said, last in ((None, CLASSES - 1), ("multi_label_logits", CLASSES)):
        path = write_model(tmp_path / "m.onnx", tail=[node("Identity", ["raw"], ["logits"])])
        classifier = OnnxClassifier(path, "cpu", 4, 1, output=said)
        whole = Masks((SIDE, SIDE), label=last, masks=np.ones((1, SIDE, SIDE), dtype=bool))
        assert np.isfinite(classifier.classify([Slice(picture, whole, 0, 1)]).log_odds).all()
        beyond = Masks((SIDE, SIDE), label=last + 1, masks=np.ones((1, SIDE, SIDE), dtype=bool))
        with pytest.raises(ValueError, match=f"class {last + 1} is asked for"):
            classifier.classify([Slice(picture, beyond, 0, 1)])


@pytest.mark.parametrize("said", ["probabilities", "sigmoid"])
def test_a_probability_of_nought_or_one_is_an_answer_as_any_other(said):
    """Its logit would be infinite, and a row that is not finite has no answer."""
    shares = np.array([[0, 1, 0], [1, 0, 0], [0.25, 0.5, 0.25]], np.float32)
    head = Head(said, 3)
    reply = head.reply(head.logits(shares), named=np.array([0, 0, 1]))
    assert reply.labels.tolist()[:2] == [1, 0]
    assert reply.confidences[:2] == pytest.approx([1, 1])
    assert np.isfinite(reply.margins).all() and np.isfinite(reply.log_odds).all()
    one = Head("sigmoid", 1)
    assert one.reply(one.logits(np.array([[0], [1]], np.float32))).labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("sides", "output"), [("pp", "sigmoid"), ("qp", "probabilities"), ("pq", "probabilities"), ("qq", "sigmoid")]
)
def test_a_distribution_over_two_is_a_sigmoid_beside_one_less_it_and_not_beside_itself(tmp_path, sides, output):
    minus, less = node("Neg", ["z"], ["minus"]), node("Sigmoid", ["minus"], ["q"])
    tail, constants = binary(minus, less, node("Sigmoid", ["z"], ["p"]), node("Concat", [*sides], ["logits"], axis=1))
    classifier = classifier_of(tmp_path / "m.onnx", tail, constants, outputs=[("logits", ("batch", 2))])
    assert classifier.head == Head(output, 2)
