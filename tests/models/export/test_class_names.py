"""Class names belong to the model: what its roster entry says, else its file, else ImageNet's for timm's weights."""

import json

import onnx
import pytest

from models.onnx_models import CLASSES, write_model
from mps_study.common.class_names import names_from
from mps_study.models.export.card import ModelCard, class_names
from mps_study.models.export.class_names import class_index, names_of_entry, names_on_card
from mps_study.models.export.exported import export_request
from mps_study.models.roster.roster import ModelEntry

COLOURS = ["none", "red", "green", "blue", "猫 $x$"]


def with_metadata(path, **metadata):
    """A model of five classes with such metadata in its file."""
    model = onnx.load(write_model(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return ModelEntry(architecture="A", onnx=str(path), classes=CLASSES)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("names", str(dict(enumerate(COLOURS)))),  # as Ultralytics writes it
        ("names", str(COLOURS)),
        ("classes", json.dumps(COLOURS)),
        ("id2label", json.dumps({str(index): name for index, name in enumerate(COLOURS)})),
    ],
)
def test_a_files_own_names_are_read(tmp_path, key, text):
    entry = with_metadata(tmp_path / "m.onnx", **{key: text, "author": "x"})
    assert names_of_entry("m", entry) == names_on_card("m", entry) == tuple(COLOURS)
    said = entry.model_copy(update={"class_names": list("abcde")})
    assert names_of_entry("m", said) == tuple("abcde")


@pytest.mark.parametrize("text", ["{0: 'a', 1: 'b'}", "{0: 'a', 2: 'b'}", "cat, dog", "__import__('os')", "5"])
def test_metadata_that_names_other_classes_is_not_used(tmp_path, text):
    assert names_of_entry("m", with_metadata(tmp_path / "m.onnx", names=text)) is None


def test_of_several_lists_of_names_the_first_that_fits_is_read(tmp_path):
    """In the order of `KEYS`, whatever the order in the file."""
    others = str(list("vwxyz"))
    assert names_of_entry("m", with_metadata(tmp_path / "m.onnx", id2label=others, names=str(COLOURS))) == tuple(
        COLOURS
    )
    short = with_metadata(tmp_path / "m.onnx", names="['a', 'b']", classes=str(COLOURS), id2label=others)
    assert names_of_entry("m", short) == tuple(COLOURS)


@pytest.mark.parametrize(
    ("fields", "on_card"),
    [
        ({"timm": "resnet18", "weights": "hub"}, "imagenet-1k"),
        ({"timm": "resnet18", "weights": "package:x"}, "imagenet-1k"),
        ({"timm": "resnet18", "weights": "file:x"}, "sample"),
        ({"timm": "resnet18", "weights": "random:0"}, "sample"),
        ({"timm": "resnet18", "weights": "fine_tuned"}, "sample"),
        ({"timm": "resnet18", "weights": "hub", "classes": 10}, "sample"),
        ({"timm": "resnet18", "weights": "file:x", "class_names": "imagenet-1k"}, "imagenet-1k"),
        ({"timm": "resnet18", "weights": "file:x", "classes": 2, "class_names": ["cat", 7]}, ("cat", "7")),
    ],
)
def test_imagenets_names_are_taken_for_timms_weights_and_for_who_says_so(fields, on_card):
    assert names_on_card("m", ModelEntry(architecture="A", **fields)) == on_card


def test_an_own_model_of_a_thousand_classes_is_not_imagenets(tmp_path):
    entry = ModelEntry(architecture="A", onnx=str(write_model(tmp_path / "m.onnx")), classes=1000)
    assert names_on_card("m", entry) == "sample"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["a", "b"], "model 'm': class_names has 2 names, but the model has 5 classes"),
        ("imagenet-1k", "has 1000 names, but the model has 5 classes"),
        ("nowhere.txt", "model 'm': class_names: 'nowhere.txt': there is no such file"),
        ([True, "b", "c", "d", "e"], "the name of class 0 is True; use text, in quotes"),
        (["a", "b", "c", "d", ""], "the name of class 4 is ''"),
    ],
)
def test_names_that_do_not_fit_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        names_of_entry("m", ModelEntry(architecture="A", timm="resnet18", classes=5, class_names=given))


def test_a_mapping_must_name_every_index(tmp_path):
    with pytest.raises(ValueError, match="class_names has 2 names, but not one for each index from 0 to 1"):
        names_from({1: "a", 2: "b"}, "class_names")


def card(**fields):
    """A card with what is not of interest here."""
    plain = {"name": "m", "architecture": "A", "timm": None, "weights": "x", "classes": 5, "opset": 20, "digest": "d"}
    return plain | {"request": "r", "parity": None, "preprocessing": {"input_size": 8}} | fields


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        ("imagenet-1k", (1, "goldfish")),
        ("sample", (1, "of the sample")),
        (["a", "b", "c", "d", "e"], (1, "b")),
    ],
)
def test_cards_keep_names_and_stored_ones_stay_readable(stored, names):
    read = ModelCard.model_validate_json(json.dumps(card(class_names=stored)))
    assert class_names(read, {1: "of the sample"})[names[0]] == names[1]
    assert ModelCard.model_validate_json(read.model_dump_json()) == read


def test_a_model_is_exported_again_only_where_its_names_are_not_those_of_before(tmp_path):
    hub = ModelEntry(architecture="A", timm="resnet18")
    assert export_request(hub, None, 1.0) == export_request(
        hub.model_copy(update={"class_names": "imagenet-1k"}), None, 1.0
    )
    own = ModelEntry(architecture="A", onnx=str(write_model(tmp_path / "m.onnx")), classes=CLASSES)
    named = own.model_copy(update={"class_names": COLOURS})
    assert export_request(own, None, 1.0) != export_request(named, None, 1.0)


def test_a_fine_tuned_models_names_are_those_of_the_images_it_was_trained_on():
    tuned = ModelEntry(architecture="A", timm="resnet18", weights="fine_tuned", classes=2)
    assert names_on_card("m", tuned, {"0": "cat", "1": "dog"}) == ("cat", "dog")
    assert names_on_card("m", tuned, {"0": "cat"}) == names_on_card("m", tuned, {}) == "training"
    assert names_on_card("m", ModelEntry(architecture="A", timm="resnet18", weights="random:1", classes=2)) == "sample"
    named = ModelEntry(architecture="A", timm="resnet18", weights="fine_tuned", classes=2, class_names=["a", "b"])
    assert names_on_card("m", named, {"0": "cat", "1": "dog"}) == ("a", "b")


CRANES = {0: "crane", 1: "ox", 2: "crane"}


@pytest.mark.parametrize(("target", "index"), [(0, 0), (2, 2), ("ox", 1)])
def test_a_class_is_asked_for_by_its_index_or_its_name(target, index):
    assert class_index(target, 3, CRANES) == index


@pytest.mark.parametrize(
    ("target", "names", "said"),
    [
        (3, CRANES, "search.target is 3, but the model's classes are 0 to 2"),
        ("crane", CRANES, "search.target is 'crane', the name of classes 0, 2; give an index"),
        ("oxen", CRANES, r"class 'oxen' is unknown; did you mean 'ox'\?"),
        ("ox", {}, "search.target is 'ox', but the model's classes have no names; give an index"),
    ],
)
def test_a_class_that_there_is_not_or_that_is_two_is_refused(target, names, said):
    with pytest.raises(ValueError, match=said):
        class_index(target, 3, names)
