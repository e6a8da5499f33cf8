"""One picture explained for models that Python holds, one or several, and what must be said of them."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from models.colour_models import FORMS, PLAIN, colour_model
from mps_study import GivenModel, Preprocessing, explain
from mps_study.app.python.exported import export_given

TAKEN = {**PLAIN, "input_size": 16}
NOISE = np.random.default_rng(0)
MINIMAL = {"strategy": "minimal", "granularity": 4}


def colours(inputs):
    return inputs.mean(axis=(2, 3)) * 30


@pytest.fixture
def picture():
    pixels = np.random.default_rng(0).integers(0, 90, (20, 30, 3), dtype=np.uint8)
    pixels[4:12, 6:20, 2] = 255
    return Image.fromarray(pixels)


def test_a_function_and_a_file_show_the_same_set(picture, tmp_path):
    path = colour_model(tmp_path / "m.onnx", **FORMS["float32"][0])
    names = ["red", "green", "blue"]
    of_file = explain(picture, path, preprocessing=PLAIN, class_names=names, **MINIMAL)
    for taken in (TAKEN, Preprocessing(**TAKEN)):
        found = explain(picture, colours, preprocessing=taken, class_names=names, **MINIMAL)
        assert found.class_name == of_file.class_name == "blue" and found.model == "colours"
        np.testing.assert_array_equal(found.mask, of_file.mask)
        assert found.confidence == pytest.approx(of_file.confidence, abs=1e-6)


def test_several_models_give_a_list_in_their_order(picture, tmp_path):
    path = colour_model(tmp_path / "m.onnx", **FORMS["float32"][0])
    models = [GivenModel(path, PLAIN), GivenModel(colours, TAKEN, name="mine")]
    found = explain(picture, models, **MINIMAL)
    assert [each.model for each in found] == ["m", "mine"]
    np.testing.assert_array_equal(found[0].mask, found[1].mask)
    with pytest.raises(ValueError, match=r"preprocessing of each of several models: say it there, GivenModel"):
        explain(picture, models, preprocessing=PLAIN)
    with pytest.raises(ValueError, match=r"output and class_names of a GivenModel"):
        explain(picture, models[0], output="logits", class_names=["a", "b", "c"])


def test_a_timm_module_its_export_and_a_function_around_it_have_one_set(picture, tmp_path):
    """Random weights; what its pretrained configuration says of pictures is taken from the module."""
    torch.manual_seed(0)
    module = timm.create_model("resnet18", num_classes=5, pretrained_cfg_overlay={"input_size": (3, 32, 32)}).eval()
    _, entry = export_given(GivenModel(module), tmp_path, tmp_path)
    fields = entry["preprocessing"]
    assert fields["input_size"] in (32, [32, 32]) and entry["classes"] == 5 and "output" not in entry

    def function(inputs):
        with torch.no_grad():
            return module(torch.from_numpy(inputs)).numpy()

    models = [module, GivenModel(tmp_path / "resnet18.onnx", fields), GivenModel(function, fields)]
    found = explain(picture, models, strategy="minimal", granularity=8)
    assert {each.record.status for each in found} <= {"found", "baseline"}
    for other in found[1:]:
        assert other.label == found[0].label
        np.testing.assert_array_equal(other.mask, found[0].mask)
        assert other.confidence == pytest.approx(found[0].confidence, abs=1e-4)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (colours, {}, r"colours: what it takes is not known; give preprocessing: \{input_size"),
        (colours, {"preprocessing": {"mean": [0, 0, 0]}}, "colours: what it takes is not known"),
        (colours, {"preprocessing": 3}, "preprocessing is 3; use a mapping"),
        (colours, {"preprocessing": TAKEN, "class_names": ["a"]}, "class_names has 1 names, but the model has 3"),
        (
            colours,
            {"preprocessing": TAKEN, "output": "softmax"},
            "output 'softmax' is unknown; known: logits",
        ),
        (colours, {"preprocessing": TAKEN, "output": "probabilities"}, "said to be probabilities"),
        (lambda x: 1 / (1 + np.exp(-colours(x))), {"preprocessing": TAKEN}, "looks like probabilities"),
        (colours, {"preprocessing": TAKEN, "device": "cuda"}, "a model that Python holds runs where it lies"),
        (lambda x: colours(x + NOISE.normal(size=x.shape)), {"preprocessing": TAKEN}, "differently each time"),
        (torch.nn.Flatten(), {"preprocessing": TAKEN}, "Flatten: Flatten is in training mode"),
    ],
)
def test_what_is_not_known_is_asked_in_one_line(picture, model, options, said):
    with pytest.raises(ValueError, match=said) as error:
        explain(picture, model, **options, **MINIMAL)
    assert "\n" not in str(error.value)


def test_only_modules_can_be_kept_for_later_runs(tmp_path):
    with pytest.raises(ValueError, match="colours is a function, which no later run could ask again; hand over"):
        export_given(GivenModel(colours, TAKEN), tmp_path, tmp_path)
    assert not any(tmp_path.iterdir())
