"""Exported models and their cards: a graph never waits for its weights, and a card never for its graph."""

import pytest

from mps_study.datasets import models
from mps_study.datasets.models import ModelCards, OnnxModels
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import Exported
from mps_study.models.inference.preprocessing import Preprocessing


def card(name):
    """A card with what it must have."""
    facts = {"architecture": "A", "timm": None, "weights": "x", "classes": 2, "class_names": "sample", "opset": 20}
    digests = {"digest": "d", "request": "r", "parity": None}
    return ModelCard(name=name, preprocessing=Preprocessing(input_size=8), **facts, **digests)


def exported(folder, name, data=True):
    """A model that was just exported, with external data or without."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.onnx.data").unlink(missing_ok=True)
    (folder / f"{name}.onnx").write_bytes(b"graph")
    if data:
        (folder / f"{name}.onnx.data").write_bytes(b"weights")
    return Exported(folder / f"{name}.onnx", card(name))


def test_the_weights_are_there_before_the_graph(tmp_path, monkeypatch):
    copied = []

    def killed(source, target):
        copied.append(target.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "copy_atomically", killed)
    with pytest.raises(KeyboardInterrupt):
        OnnxModels(str(tmp_path / "store")).save({"m": exported(tmp_path / "work", "m")})
    assert copied == ["m.onnx.data"]


def test_weights_of_an_earlier_export_do_not_stay_beside_a_graph_without_any(tmp_path):
    dataset = OnnxModels(str(tmp_path / "store"))
    for data, files in ((True, ["m.onnx", "m.onnx.data"]), (False, ["m.onnx"])):
        dataset.save({"m": exported(tmp_path / "work", "m", data)})
        assert sorted(path.name for path in (tmp_path / "store").iterdir()) == files
    assert list(dataset.load()) == ["m"]


def test_what_a_killed_export_left_is_swept_and_other_models_are_not(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    for name in ("m.onnx1.partial", "m.onnx.data1.partial", "mm.onnx1.partial"):
        (store / name).touch()
    OnnxModels(str(store)).save({"m": exported(tmp_path / "work", "m")})
    assert sorted(path.name for path in store.iterdir()) == ["m.onnx", "m.onnx.data", "mm.onnx1.partial"]


def test_a_card_counts_as_done_only_with_its_model_beside_it(tmp_path):
    ModelCards(str(tmp_path)).save({"m": card("m"), "n": card("n")})
    (tmp_path / "m.onnx").touch()
    assert set(ModelCards(str(tmp_path)).load()) == {"m", "n"}
    assert ModelCards(str(tmp_path), so_far=True).load() == {"m": card("m")}
