"""ONNX files as users have them: what can be served gives right answers, what cannot is refused in one line."""

import os

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image
from safetensors.torch import save_file

from models.onnx_models import CLASSES, SIDE, logits, node, relocate, weights, write_model
from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.models.export.export import export_model
from mps_study.models.export.exported import export_request
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.weights.faults import WeightsError
from mps_study.models.weights.loading import read_checkpoint
from mps_study.mps.types import BASELINE, FOUND, INVALID, UNSTABLE

PIXELS = np.random.default_rng(1).normal(size=(3, 3, SIDE, SIDE)).astype(np.float32)
TINY = np.finfo(np.float32).tiny


def softmax(values):
    """Over the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


FIRST = [("logits", ("batch", CLASSES))]
SERVED = {
    "plain": {},
    "fixed batch of 1": {"shape": (1, 3, SIDE, SIDE), "outputs": [("logits", (1, CLASSES))]},
    "fixed batch of 2": {"shape": (2, 3, SIDE, SIDE), "outputs": [("logits", (2, CLASSES))]},
    "channels last": {"shape": ("batch", SIDE, SIDE, 3)},
    "channels last, fixed": {"shape": (1, SIDE, SIDE, 3), "outputs": [("logits", (1, CLASSES))]},
    "several outputs": {
        "tail": [node("Identity", ["raw"], ["logits"]), node("Relu", ["raw"], ["features"])],
        "outputs": [*FIRST, ("features", ("batch", CLASSES))],
    },
    "an output of another form first": {
        "tail": [node("Identity", ["raw"], ["logits"]), node("Identity", ["image"], ["echo"])],
        "outputs": [("echo", ("batch", 3, SIDE, SIDE)), *FIRST],
    },
    "a number of classes that only the weights tell": {"outputs": [("logits", ("batch", "classes"))]},
    "weights in a file beside": {"external": "some data.bin"},
}
PROBABILITIES = {
    "softmax": {"tail": [node("Softmax", ["raw"], ["logits"], axis=1)]},
    "softmax and what passes it on": {
        "tail": [node("Softmax", ["raw"], ["soft"]), node("Identity", ["soft"], ["logits"])],
    },
}


@pytest.mark.parametrize("form", SERVED)
def test_a_model_that_can_be_served_gives_its_logits(tmp_path, form):
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", **SERVED[form]), "cpu", 1, 1)
    assert (classifier.input_shape, classifier.classes) == ((3, SIDE, SIDE), CLASSES)
    answers = np.concatenate([classifier.logits(each[None]) for each in PIXELS])
    assert np.allclose(answers, logits(PIXELS), atol=1e-5)


@pytest.mark.parametrize("form", PROBABILITIES)
def test_of_probabilities_the_confidence_is_theirs_and_not_a_softmax_of_them(tmp_path, form):
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", **PROBABILITIES[form]), "cpu", 4, 1)
    assert classifier.head.output == "probabilities"
    assert np.allclose(softmax(classifier.logits(PIXELS)), softmax(logits(PIXELS)), atol=1e-6)
    assert np.isfinite(classifier.logits(PIXELS * 1000)).all()


def test_the_sets_of_a_model_do_not_depend_on_its_form(tmp_path):
    images = [(str(i), each) for i, each in enumerate(PIXELS)]
    config = SearchConfig(iterations=2, chunk_size=2)
    found = []
    for i, form in enumerate([*SERVED.values(), *PROBABILITIES.values()]):
        classifier = OnnxClassifier(write_model(tmp_path / f"{i}.onnx", **form), "cpu", 1, 1)
        found.append([(r.status, r.target.label, r.mask.tobytes()) for r in extract_mps(images, classifier, config)])
    assert all(each == found[0] for each in found)


def test_a_grey_model_gets_grey_pictures(tmp_path):
    path = write_model(tmp_path / "m.onnx", shape=("batch", 1, SIDE, SIDE))
    fields = {"architecture": "A", "onnx": str(path), "classes": CLASSES}
    entry = ModelEntry(**fields, preprocessing={"mean": [0.5], "std": [0.25], "crop_pct": 1.0})
    picture = Image.new("RGB", (SIDE, SIDE), (255, 0, 0))
    (tmp_path / "out").mkdir()
    card = export_model("grey", entry, [picture], tmp_path / "out").card
    pixels = card.preprocessing.pixels(picture)
    assert pixels.shape == (1, SIDE, SIDE)
    assert np.allclose(pixels, (76 / 255 - 0.5) / 0.25, atol=1e-3)  # ITU-R 601-2 luma of pure red
    with pytest.raises(
        OnnxFileError, match=r"has 1 channels, but preprocessing.mean and .std .*have 3; give one number"
    ):
        export_model("grey", ModelEntry(**fields), [picture], tmp_path / "out")


def broken(path, content):
    """A file that is no model."""
    path.write_bytes(content)
    return path


def cut(path):
    """The first half of a model."""
    return broken(path, write_model(path).read_bytes()[: path.stat().st_size // 2])


def without_data(path):
    """A model whose weights are gone."""
    write_model(path, external="w.bin")
    path.with_name("w.bin").unlink()
    return path


def short_data(path):
    """A model whose weights were cut short."""
    write_model(path, external="w.bin")
    os.truncate(path.with_name("w.bin"), 100)
    return path


def data_elsewhere(location):
    """A model whose weights are said to lie outside of its folder, where such a file is."""

    def make(path):
        home = path.parent / "home"
        home.mkdir()
        write_model(home / "m.onnx", external="w.bin")
        (home / "w.bin").rename(path.parent / "secret.bin")
        if location == "link.bin":
            (home / "link.bin").symlink_to(path.parent / "secret.bin")
        return relocate(home / "m.onnx", location.replace("ROOT", str(path.parent)))

    return make


def external_constant(path):
    """A path out of the folder in a constant of the graph, not in a weight."""
    tensor = helper.make_tensor("c", TensorProto.FLOAT, [1], [0.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return write_model(
        path, tail=[helper.make_node("Constant", [], ["c"], value=tensor), node("Add", ["raw", "c"], ["logits"])]
    )


def form(**changes):
    """A model of another form."""
    return lambda path: write_model(path, **changes)


MASK = helper.make_tensor_value_info("mask", TensorProto.FLOAT, ("batch", CLASSES))
REFUSED = {
    "text": (lambda path: broken(path, b"this is no model"), "this is no ONNX model, or it was cut short"),
    "empty": (lambda path: broken(path, b""), "this is no ONNX model: it holds no graph; copy or export it again"),
    "cut short": (cut, "this is no ONNX model, or it was cut short; copy or export it again"),
    "data missing": (without_data, "its weights are in 'w.bin', which is not there; copy it beside the model"),
    "data cut short": (
        short_data,
        r"ONNX Runtime cannot load this model \(.*can not be read in full.*; export it again",
    ),
    "data above": (
        data_elsewhere("../secret.bin"),
        "'../secret.bin', outside of its own folder, where nothing is",
    ),
    "data at a path": (data_elsewhere("ROOT/secret.bin"), "secret.bin', outside of its own folder"),
    "data behind a link": (data_elsewhere("link.bin"), "'link.bin', outside of its own folder"),
    "data at a drive": (data_elsewhere(r"C:\secret.bin"), "outside of its own folder"),
    "constant outside": (external_constant, "'../../etc/passwd', outside of its own folder"),
    "opset": (form(opset=99), "its opset is too new for this ONNX Runtime, which knows ai.onnx up to .* older opset"),
    "IR version": (form(ir_version=99), "its IR version 99 is too new for this ONNX Runtime, which knows up to"),
    "operation": (form(tail=[node("Nope", ["raw"], ["logits"])]), r"cannot load this model \(This is an invalid model"),
    "two inputs": (
        form(tail=[node("Add", ["raw", "mask"], ["logits"])], inputs=[MASK]),
        r"has 2 inputs \(image, mask\); export it with one",
    ),
    "no image": (
        lambda path: write_model(path, shape=("batch", 2 * SIDE, SIDE, SIDE)),
        "neither axis 1 nor axis 3 tells how many channels it has",
    ),
    "no classes": (
        form(
            tail=[node("Concat", ["image", "image"], ["out"], axis=1)],
            outputs=[("out", ("batch", 6, SIDE, SIDE))],
        ),
        r"expected logits or probabilities \(batch, classes\).* but it has out tensor\(float\)",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_file_that_cannot_be_asked_is_refused_in_one_line(tmp_path, fault, capfd):
    make, message = REFUSED[fault]
    path = make(tmp_path / "m.onnx")
    with pytest.raises(OnnxFileError, match=message) as error:
        OnnxClassifier(path, "cpu", 1, 1)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert "onnxruntime" not in str(error.value).replace("update onnxruntime", "")
    assert capfd.readouterr().err == ""


def adopted(tmp_path, classes=CLASSES, images=3, preprocessing=None, **changes):
    """Export a user's own file."""
    path = write_model(tmp_path / "m.onnx", **changes)
    fields = {"architecture": "A", "onnx": str(path), "classes": classes, "preprocessing": preprocessing or {}}
    random = np.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 255, (9, 9, 3), dtype=np.uint8)) for _ in range(images)]
    (tmp_path / "out").mkdir()
    return export_model("mine", ModelEntry(**fields), pictures, tmp_path / "out")


SUM = [node("ReduceSum", ["powers", "axis"], ["sum"], keepdims=1), node("Div", ["powers", "sum"], ["logits"])]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": 9}, "has 5 classes, but the roster says 9; set `classes`"),
        ({"preprocessing": {"input_size": 16}}, "input is 8 x 8, but preprocessing.input_size is 16"),
        ({"shape": ("batch", 3, "h", "w")}, "leaves the input's height or width open; give preprocessing.input_size"),
        ({"preprocessing": {"mean": [0.5], "std": [0.5]}}, "has 3 channels, but .* have 1; give 3 numbers"),
        (
            {"tail": [node("Exp", ["raw"], ["powers"]), *SUM], "constants": {"axis": np.array([1])}},
            r"looks like probabilities .*its graph does not say what it is; say which with `output: logits \|",
        ),
        ({"tail": [node("Sqrt", ["minus"], ["logits"])], "minus": True}, "output is not finite on any of 12 pictures"),
    ],
)
def test_a_users_model_is_compared_with_its_roster_entry_and_asked_about_images(tmp_path, changes, message):
    if changes.pop("minus", False):
        changes["tail"] = [node("Abs", ["raw"], ["abs"]), node("Neg", ["abs"], ["minus"]), *changes["tail"]]
    with pytest.raises(OnnxFileError, match=message) as error:
        adopted(tmp_path, **changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("form", [*SERVED, *PROBABILITIES])
def test_every_served_form_is_adopted_with_its_data_and_answers_alike(tmp_path, form):
    exported = adopted(tmp_path, **(SERVED | PROBABILITIES)[form])
    for file in tmp_path.glob("*.*"):
        file.unlink()
    answers = OnnxClassifier(exported.path, "cpu", 1, 1).logits(PIXELS[:1])
    assert np.allclose(softmax(answers), softmax(logits(PIXELS[:1])), atol=1e-6)


def test_the_request_of_a_users_model_depends_on_its_data_whatever_that_is_called(tmp_path):
    path = write_model(tmp_path / "m.onnx", external="some data.bin")
    entry = ModelEntry(architecture="A", onnx=str(path), classes=CLASSES)
    before = export_request(entry, None, 1e-4)
    (tmp_path / "some data.bin").write_bytes((weights() + 1).tobytes())
    assert export_request(entry, None, 1e-4) != before


def sometimes(values):
    """A model whose logits are all NaN or infinite where the first pixel is above 1."""
    tail = [
        node("Slice", ["image", "zero", "one", "axes"], ["corner"]),
        node("Flatten", ["corner"], ["pixel"]),
        node("Greater", ["pixel", "limit"], ["bright"]),
        node("Where", ["bright", "bad", "raw"], ["logits"]),
    ]
    constants = {"zero": np.zeros(3, np.int64), "one": np.ones(3, np.int64), "axes": np.array([1, 2, 3])}
    return {"tail": tail, "constants": constants | {"limit": np.float32([[1]]), "bad": np.float32([values])}}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("strategy", ["rex", "minimal"])
def test_an_output_that_is_not_finite_is_a_status_with_a_reason_and_the_others_go_on(tmp_path, value, strategy):
    values = [0.0, value, 1.0, 2.0, 3.0]
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", **sometimes(values)), "cpu", 4, 1)
    pixels = PIXELS[:2].copy()
    pixels[:, 0, 0, 0] = 0.5, 2.0
    config = SearchConfig(strategy=strategy, **({"iterations": 2} if strategy == "rex" else {}))
    good, bad = extract_mps([("good", pixels[0]), ("bad", pixels[1])], classifier, config)
    assert good.status in (FOUND, BASELINE) and good.mask is not None
    assert (bad.status, bad.mask, bad.target.label) == (INVALID, None, -1)
    assert "not finite" in bad.reason


def test_a_mutant_without_a_finite_output_fails_and_never_makes_a_set(tmp_path):
    """Every mutant that hides the bright corner has no finite output: the set must keep it."""
    form = sometimes([np.nan] * CLASSES)
    form["tail"][2] = node("Less", ["pixel", "limit"], ["bright"])
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", **form), "cpu", 4, 1)
    pixels = PIXELS[0].copy()
    pixels[0, 0, 0] = 2.0
    (record,) = extract_mps([("x", pixels)], classifier, SearchConfig(iterations=2))
    assert record.status in (FOUND, UNSTABLE)
    assert record.mask is None or record.mask[0, 0]


def test_a_constant_output_is_recorded_as_given_by_the_baseline(tmp_path):
    tail = [node("Mul", ["raw", "zero"], ["nothing"]), node("Add", ["nothing", "bias"], ["logits"])]
    constants = {"zero": np.float32([0]), "bias": np.float32([[0, 1, 5, 2, 3]])}
    classifier = OnnxClassifier(write_model(tmp_path / "m.onnx", tail=tail, constants=constants), "cpu", 4, 1)
    for config, pixels in ((SearchConfig(iterations=2), 10), (SearchConfig("minimal"), 0)):
        (record,) = extract_mps([("x", PIXELS[0])], classifier, config)
        assert (record.status, record.target.label, record.pixels) == (BASELINE, 2, pixels)


class Touches:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch '{self.path}'",))


def not_zip(path):
    path.write_bytes(b"junk")


def whole_model(path):
    torch.save(torch.nn.Linear(2, 2), path)


def listed(path):
    torch.save([torch.zeros(2)], path)


def halved(path):
    torch.save({"a": torch.zeros(1000)}, path)
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("name", ["m.pth", "m.pt", "m.bin"])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("place", [lambda evil: evil, lambda evil: {"state_dict": {"w": torch.zeros(1), "x": evil}}])
def test_a_checkpoint_that_would_run_code_is_refused_and_nothing_is_run(tmp_path, name, legacy, place):
    mark = tmp_path / "touched"
    path = tmp_path / name
    torch.save(place(Touches(mark)), path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(WeightsError, match=r"it wants to run \S*system, and nothing in it was run; save") as error:
        read_checkpoint(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert not mark.exists()
    torch.load(path, weights_only=False)  # the pickle is a real one
    assert mark.exists()


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (not_zip, "m.pth", "cannot be read as plain tensors"),
        (not_zip, "m.safetensors", "cannot be read as plain tensors .SafetensorError"),
        (whole_model, "m.pth", r"it wants to run torch.nn.modules.linear.Linear"),
        (listed, "m.pth", "holds a list; save a state dict of tensors"),
        (halved, "m.pth", "cannot be read as plain tensors"),
        (lambda path: path.write_bytes(b""), "m.pth", "cannot be read as plain tensors"),
        (lambda path: save_file({}, path) or os.truncate(path, 4), "m.safetensors", "cannot be read as plain tensors"),
    ],
)
def test_a_broken_checkpoint_is_refused_in_one_line(tmp_path, make, name, message):
    make(tmp_path / name)
    with pytest.raises(WeightsError, match=message) as error:
        read_checkpoint(tmp_path / name)
    assert "\n" not in str(error.value)
