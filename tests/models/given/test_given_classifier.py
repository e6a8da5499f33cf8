"""Modules, functions and sessions answer mutants; what they cannot be is one line before any work."""

import logging

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import nn

from models.colour_models import FORMS, colour_model
from models.colour_modules import Colours
from mps_study import GivenModel, MpsAttribution, OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.given.asked import GivenModelError
from mps_study.models.given.classifier import GivenClassifier, name_of

SHAPE = (3, 16, 16)


def colours(inputs):
    return inputs.mean(axis=(2, 3)) * 30


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return colour_model(tmp_path_factory.mktemp("model") / "colours.onnx", **FORMS["float32"][0])


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    pictures = [random.uniform(0, 0.3, SHAPE).astype(np.float32) for _ in range(4)]
    for i, pixels in enumerate(pictures):  # green or blue somewhere; a black one would be called red
        pixels[1 + i % 2, 2 * i : 2 * i + 8, 4:12] += 0.6
    return list(zip("abcd", pictures, strict=True))


def records(images, model):
    config = SearchConfig("minimal", granularity=4, floors=(0.9,))
    return [(r.status, r.target.label, r.mask.tobytes(), r.evaluations) for r in extract_mps(images, model, config)]


def test_every_form_of_a_model_has_the_sets_of_its_file(path, images):
    expected = records(images, OnnxClassifier(path, "cpu", 4, 1))
    assert {status for status, *_ in expected} == {"found"}
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for model in (path, str(path), session, Colours().eval(), Colours().eval().double(), colours):
        assert records(images, model) == expected, model


def test_answers_may_be_tensors_lists_or_what_keeps_its_logits_under_that_name(images):
    class Output:
        def __init__(self, logits):
            self.logits = logits

    for answer in (
        torch.from_numpy,
        np.ndarray.tolist,
        Output,
        lambda a: a[:, :, None, None],
        lambda a: a.astype("f8"),
    ):
        model = GivenClassifier(lambda inputs, answer=answer: answer(colours(inputs)), SHAPE)
        np.testing.assert_allclose(model.logits(images[0][1][None]), colours(images[0][1][None]), rtol=1e-6)
        assert model.classes == 3 and model.logits(np.stack([pixels for _, pixels in images])).shape == (4, 3)


def test_probabilities_that_nobody_told_of_are_refused_before_the_search(images):
    def shares(inputs):
        odds = np.exp(colours(inputs))
        return odds / odds.sum(axis=1, keepdims=True)

    config = SearchConfig("minimal", granularity=4)
    with pytest.raises(ValueError, match="its output looks like probabilities"):
        next(extract_mps(images, shares, config))
    with pytest.raises(ValueError, match="its output looks like probabilities"):
        module = nn.Sequential(Colours(), nn.Softmax(dim=1)).eval()
        MpsAttribution(module, config).attribute(torch.from_numpy(images[0][1][None]))
    told = list(extract_mps(images, GivenModel(shares, output="probabilities"), config))
    assert [r.mask.tobytes() for r in told] == [r.mask.tobytes() for r in extract_mps(images, colours, config)]


def test_one_column_is_two_classes():
    model = GivenClassifier(lambda inputs: inputs.mean(axis=(1, 2, 3)) - 0.5, SHAPE)
    assert model.classes == 2 and model.logits(np.ones((1, *SHAPE), dtype=np.float32)).tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Colours(), "Colours: Colours is in training mode"),
        (nn.Sequential(Colours().eval(), nn.Dropout()).eval().append(nn.Dropout()), "2 is in training mode"),
        (3, "model is a int; expected a name of a roster"),
        (lambda inputs: inputs.mean(), r"function: expected an answer \(2, classes\) to inputs 2 x 3 x 16 x 16"),
        (lambda inputs: colours(inputs)[0], r"but it is \(3,\)"),
        (lambda inputs: inputs, r"but it is \(2, 3, 16, 16\)"),
        (lambda inputs: (colours(inputs), 1), "it answers a tuple; wrap it in a function"),
        (lambda inputs: {"a": 1}, "it answers a dict"),
        (lambda inputs: np.array(["a", "b"]), "expected numbers"),
        (lambda inputs: inputs @ np.ones((5, 5)), "it fails on inputs 2 x 3 x 16 x 16 .ValueError: matmul"),
    ],
)
def test_what_cannot_be_asked_is_one_line(model, said):
    with pytest.raises(GivenModelError, match=said) as error:
        GivenClassifier(model, SHAPE)
    assert "\n" not in str(error.value)


def test_an_answer_that_changes_its_form_is_told(images):
    model = GivenClassifier(lambda inputs: colours(inputs)[:, : 1 + len(inputs)], SHAPE, batch_size=2)
    with pytest.raises(GivenModelError, match=r"expected an answer \(1, 3\) to inputs 1 x 3 x 16 x 16"):
        model.logits(images[0][1][None])


def test_a_module_is_asked_in_its_own_type_and_keeps_its_gradients(images):
    seen = []

    class Watching(Colours):
        def forward(self, inputs):
            seen.append((inputs.dtype, torch.is_grad_enabled()))
            return super().forward(inputs)

    module = Watching().eval().to(torch.bfloat16)
    assert GivenClassifier(module, SHAPE).logits(images[0][1][None]).dtype == np.float32
    assert set(seen) == {(torch.bfloat16, False)} and torch.is_grad_enabled()


def test_answers_that_depend_on_the_batch_are_asked_alone(images, caplog):
    def normalised(inputs):  # as a batch normalisation that was left in training mode
        return colours(inputs - inputs.mean(axis=0, keepdims=True) * (len(inputs) > 1))

    with caplog.at_level(logging.WARNING):
        alone = records(images, GivenClassifier(lambda inputs: colours(inputs), SHAPE, batch_size=1))
        assert records(images, GivenClassifier(normalised, SHAPE, batch_size=4)) == alone
    assert "depends on the batch that it is in" in caplog.text


def test_a_model_is_called_as_it_calls_itself():
    import timm

    assert name_of(timm.create_model("resnet18", num_classes=2)) == "resnet18"
    assert [name_of(each) for each in (Colours(), colours, lambda x: x)] == ["Colours", "colours", "function"]
