"""A fine-tuning that is killed goes on behind its last finished epoch, and ends as if it had never been."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from kedro.io import DatasetError
from sklearn.datasets import load_digits
from torch import nn

from mps_study.datasets.training_states import StateFile
from mps_study.models.training.recipe import Recipe
from mps_study.models.training.surroundings import seeded
from mps_study.models.training.training import fine_tune

RATES = {"learning_rate": 0.005, "probe_learning_rate": 0.01, "weight_decay": 0.05, "warmup": 0.2}
SIZES = {"probe_epochs": 2, "epochs": 3, "batch_size": 32, "holdout": 0.2, "patience": 10}
CHANCE = {"shift": 0.1, "rotation": 10.0, "flip": True}
RECIPE = Recipe(**RATES, **SIZES, **CHANCE, label_smoothing=0.05, seed=3)


class Killed(Exception):
    """The run's end in the middle."""


class Memory:
    """A ledger in memory; what it keeps has been through a file's format, and it may kill the run."""

    def __init__(self, killed_after: int | None = None) -> None:
        self.kept, self.written, self.killed_after = b"", 0, killed_after

    def read(self) -> dict[str, Any] | None:
        return torch.load(io.BytesIO(self.kept), weights_only=True) if self.kept else None

    def write(self, state: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self.kept, self.written = buffer.getvalue(), self.written + 1
        if self.written == self.killed_after:
            raise Killed


@pytest.fixture(scope="module")
def few() -> tuple[np.ndarray, np.ndarray]:
    """200 images (3, 16, 16) in [-1, 1] and their labels."""
    data = load_digits()
    grey = np.kron(data.images[:200], np.ones((2, 2))) / 8 - 1
    return np.repeat(grey[:, None], 3, axis=1).astype(np.float32), data.target[:200]


def resnet() -> nn.Module:
    """With batch normalisation, whose statistics are no parameters, and dropped paths, which are chance."""
    size = {"layers": [1, 1, 1, 1], "channels": [8, 16, 32, 32]}
    with seeded(0):
        return timm.create_model("resnet18", num_classes=10, drop_path_rate=0.3, **size)


def vit() -> nn.Module:
    size = {"img_size": 16, "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2}
    with seeded(0):
        return timm.create_model("vit_tiny_patch16_224", num_classes=10, proj_drop_rate=0.2, **size)


def assert_same(one: Any, other: Any) -> None:
    assert one.history == other.history
    assert one.holdout_accuracy == other.holdout_accuracy
    assert all(torch.equal(one.state_dict[name], other.state_dict[name]) for name in one.state_dict)


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 5])
def test_a_killed_run_ends_bit_for_bit_like_one_that_was_not(few: Any, killed_after: int) -> None:
    whole = fine_tune(resnet(), *few, RECIPE)
    ledger = Memory(killed_after)
    with pytest.raises(Killed):
        fine_tune(resnet(), *few, RECIPE, ledger=ledger)
    epochs: list[int] = []
    resumed = fine_tune(resnet(), *few, RECIPE, ledger=ledger, progress=lambda row: epochs.append(row["epoch"]))
    assert epochs == list(range(killed_after + 1, 6))
    assert_same(resumed, whole)


def test_it_may_be_killed_again_and_again(few: Any) -> None:
    recipe = replace(RECIPE, layer_decay=0.7, bfloat16=True)
    whole, ledger = fine_tune(vit(), *few, recipe), Memory()
    for _ in range(5):
        ledger.written, ledger.killed_after = 0, 1
        with pytest.raises(Killed):
            fine_tune(vit(), *few, recipe, ledger=ledger)
    assert_same(fine_tune(vit(), *few, recipe, ledger=ledger), whole)


def test_a_run_that_early_stopping_ended_is_over_also_when_resumed(few: Any) -> None:
    images, labels = few[0], np.random.default_rng(0).permutation(few[1])
    recipe, ledger = replace(RECIPE, probe_epochs=0, epochs=40, patience=2), Memory()
    whole = fine_tune(resnet(), images, labels, recipe, ledger=ledger)
    assert whole.epochs < 40
    written = ledger.written
    assert_same(fine_tune(resnet(), images, labels, recipe, ledger=ledger), whole)
    assert ledger.written == written


def state(epochs: int) -> dict[str, Any]:
    """A state after so many epochs."""
    return {"history": [{"epoch": i} for i in range(epochs)], "model": {"w": torch.full((3,), float(epochs))}}


def test_a_state_file_gives_back_the_last_state_and_keeps_no_other(tmp_path: Any) -> None:
    for epochs in (1, 2, 3):
        StateFile(tmp_path, "m", "request").write(state(epochs))
        StateFile(tmp_path, "m.v2", "request").write(state(epochs + 10))
    found = StateFile(tmp_path, "m", "request").read()
    assert found is not None and found["model"]["w"].tolist() == [3.0] * 3
    assert len(list(tmp_path.iterdir())) == 2
    StateFile(tmp_path, "m", "request").clear()
    assert StateFile(tmp_path, "m", "request").read() is None
    assert StateFile(tmp_path, "m.v2", "request").read() is not None


def test_the_state_of_another_recipe_is_left_aside(tmp_path: Any) -> None:
    StateFile(tmp_path, "m", "old").write(state(9))
    new = StateFile(tmp_path, "m", "new")
    assert new.read() is None
    new.write(state(1))
    found = new.read()
    assert found is not None and len(found["history"]) == 1


def test_a_run_killed_while_writing_keeps_the_state_before(tmp_path: Any, monkeypatch: Any) -> None:
    file = StateFile(tmp_path, "m", "request")
    file.write(state(1))
    real = torch.save

    def half(data: Any, path: Any) -> None:
        real(data, path)
        os.truncate(path, 50)
        raise Killed

    monkeypatch.setattr("torch.save", half)
    with pytest.raises(Killed):
        file.write(state(2))
    monkeypatch.undo()
    found = file.read()
    assert found is not None and len(found["history"]) == 1


def test_a_run_killed_before_the_old_state_went_has_the_new_one(tmp_path: Any, monkeypatch: Any) -> None:
    file = StateFile(tmp_path, "m", "request")
    file.write(state(1))

    real = Path.unlink

    def killed(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("m.0001."):
            raise Killed
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(Killed):
        file.write(state(2))
    monkeypatch.undo()
    assert len([path for path in tmp_path.iterdir() if path.suffix == ".pt"]) == 2
    found = file.read()
    assert found is not None and len(found["history"]) == 2
    file.write(state(3))
    assert [path.name.split(".")[1] for path in tmp_path.iterdir()] == ["0003"]


def test_a_damaged_state_is_refused_with_its_name(tmp_path: Any) -> None:
    file = StateFile(tmp_path, "m", "request")
    file.write(state(1))
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"m\.0001\..*is damaged.*delete it"):
        file.read()


def test_code_in_a_state_is_never_run(tmp_path: Any) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("this must not be printed",))

    file = StateFile(tmp_path, "m", "request")
    file.write(state(1) | {"evil": Evil()})
    with pytest.raises(Exception, match="Weights only load failed"):
        file.read()
