"""Fine-tuning learns, repeats itself bit for bit, and keeps its hands off everything else."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import yaml
from sklearn.datasets import load_digits
from torch import nn

from mps_study.models.training.epochs import augmented, deal, descent
from mps_study.models.training.recipe import Recipe
from mps_study.models.training.surroundings import seeded
from mps_study.models.training.training import fine_tune

MINIATURE = Path(__file__).parents[3] / "conf" / "miniature" / "parameters_models.yml"
RATES = {"learning_rate": 0.005, "probe_learning_rate": 0.01, "weight_decay": 0.05, "warmup": 0.1}
SIZES = {"probe_epochs": 0, "epochs": 2, "batch_size": 64, "holdout": 0.2, "patience": 10}
RECIPE = Recipe(**RATES, **SIZES, label_smoothing=0.05, seed=3)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 3, 16, 16) in [-1, 1] and their labels (1797,), in a random order."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    grey = np.kron(data.images[order], np.ones((2, 2))) / 8 - 1
    return np.repeat(grey[:, None], 3, axis=1).astype(np.float32), data.target[order]


@pytest.fixture
def few(digits: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return digits[0][:200], digits[1][:200]


def resnet(classes: int = 10, **arguments: Any) -> nn.Module:
    """A ResNet of 8 to 32 channels with random first weights, always the same."""
    size = {"layers": [1, 1, 1, 1], "channels": [8, 16, 32, 32]}
    with seeded(0):
        return timm.create_model("resnet18", num_classes=classes, **size, **arguments)


def vit() -> nn.Module:
    size = {"img_size": 16, "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2}
    with seeded(0):
        return timm.create_model("vit_tiny_patch16_224", num_classes=10, **size)


def share_right(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    with torch.no_grad():
        answers = model.eval()(torch.from_numpy(images)).argmax(1).numpy()
    return float((answers == labels).mean())


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_tiny_model_learns_digits_that_it_has_not_trained_on(digits: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mps_study")
    (images, labels), model = digits, resnet()
    start = time.perf_counter()
    trained = fine_tune(model, images[:1400], labels[:1400], replace(RECIPE, epochs=8))
    assert share_right(model, images[1400:], labels[1400:]) > 0.95
    assert trained.holdout_accuracy > 0.95
    assert len(caplog.messages) <= (time.perf_counter() - start) / 60  # a line of progress a minute, no more


@pytest.mark.parametrize("change", [{}, {"shift": 0.1, "rotation": 10.0, "flip": True}])
def test_the_same_seed_gives_the_same_weights_bit_for_bit_and_another_seed_others(few: Any, change: Any) -> None:
    recipes = (replace(RECIPE, **change, seed=seed) for seed in (3, 3, 4))
    first, second, other = (fine_tune(resnet(drop_path_rate=0.3), *few, recipe) for recipe in recipes)
    assert same(first.state_dict, second.state_dict)
    assert first.history == second.history
    assert not same(first.state_dict, other.state_dict)


def test_images_read_one_by_one_in_other_processes_change_nothing(few: Any) -> None:
    (images, labels), recipe = few, replace(RECIPE, epochs=1)
    at_once = fine_tune(resnet(), images, labels, recipe)
    one_by_one = fine_tune(resnet(), list(torch.from_numpy(images)), labels, recipe, workers=2)
    assert same(at_once.state_dict, one_by_one.state_dict)


def test_the_linear_probe_trains_the_head_and_leaves_the_body_untouched(few: Any) -> None:
    model = resnet()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    fine_tune(model, *few, replace(RECIPE, probe_epochs=2, epochs=0))
    changed = {name for name, each in model.state_dict().items() if not each.equal(before[name])}
    assert changed == {"fc.weight", "fc.bias"}
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_full_phase_follows_the_probe_and_trains_everything(few: Any) -> None:
    model = resnet()
    before, untouched = {name: each.clone() for name, each in model.named_parameters()}, []

    def compare(row: dict[str, Any]) -> None:
        equal = [each.equal(before[name]) for name, each in model.named_parameters()]
        untouched.append((row["epoch"], row["phase"], sum(equal)))

    fine_tune(model, *few, replace(RECIPE, probe_epochs=1, epochs=2), progress=compare)
    assert untouched == [(1, "probe", len(before) - 2), (2, "full", 0), (3, "full", 0)]


def test_early_stopping_restores_the_best_held_out_epoch(few: Any) -> None:
    # Labels of pure chance: what is learned cannot help on the held-out images for long.
    images, labels = few[0], np.random.default_rng(0).permutation(few[1])
    model, epochs = resnet(), []

    def remember(row: dict[str, Any]) -> None:
        weights = {name: each.clone() for name, each in model.state_dict().items()}
        epochs.append((row["holdout_accuracy"], -row["holdout_loss"], weights))

    recipe = replace(RECIPE, epochs=40, patience=3)
    trained = fine_tune(model, images, labels, recipe, progress=remember)
    best = max(range(len(epochs)), key=lambda i: epochs[i][:2])
    assert trained.epochs == len(epochs) == best + 1 + recipe.patience < recipe.epochs
    assert same(trained.state_dict, epochs[best][2])
    assert same(trained.state_dict, model.state_dict())
    assert trained.holdout_accuracy == epochs[best][0]


def test_the_held_out_accuracy_is_that_of_images_that_did_not_train(few: Any) -> None:
    training, held_out = ([torch.cat(part) for part in zip(*loader, strict=True)] for loader in deal(*few, RECIPE))
    assert not (held_out[0].flatten(1)[:, None] == training[0].flatten(1)[None]).all(2).any()
    model = resnet()
    trained = fine_tune(model, *few, RECIPE)
    assert share_right(model, held_out[0].numpy(), held_out[1].numpy()) == trained.holdout_accuracy


def test_the_global_random_state_and_settings_are_as_before(few: Any) -> None:
    with unchanged():
        fine_tune(resnet(drop_path_rate=0.3), *few, replace(RECIPE, epochs=1, flip=True))


def test_a_loss_that_is_no_number_says_what_to_change_and_leaves_the_random_state(few: Any) -> None:
    message = "nan in epoch 1: lower learning_rate .* NaN or huge"
    with unchanged(), pytest.raises(FloatingPointError, match=message):
        fine_tune(resnet(), np.full_like(few[0], np.nan), few[1], RECIPE)


@contextmanager
def unchanged() -> Iterator[None]:
    def state() -> str:
        deterministic = torch.are_deterministic_algorithms_enabled()
        return repr((torch.get_rng_state().tolist(), random.getstate(), np.random.get_state(), deterministic))  # noqa: NPY002

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"learning_rate": float("nan")}, ValueError, "learning_rate should be a finite number above 0, got nan"),
        ({"learning_rate": "1e-3"}, TypeError, "got '1e-3' .YAML reads 1e-3 as text: write 1.0e-3."),
        ({"epochs": 2.0}, TypeError, "epochs should be of type int, got 2.0"),
        ({"epochs": 0}, ValueError, "nothing would train; raise epochs or probe_epochs"),
        ({"batch_size": 0}, ValueError, "batch_size should be 1 or more, got 0"),
        ({"holdout": 0.0}, ValueError, "holdout should be a share in"),
        ({"flip": 1}, TypeError, "flip should be of type bool, got 1"),
        ({"patience": True}, TypeError, "patience should be of type int, got True"),
    ],
)
def test_an_impossible_recipe_is_refused_with_advice(change: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        replace(RECIPE, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": resnet(5)}, r"run from 0 to 9, but the model has 5 outputs.*reset_classifier"),
        ({"labels": np.arange(5)}, r"labels should be \(60,\) integers, one an image; got torch.int64 \(5,\)"),
        ({"images": np.zeros((60, 3, 16, 16))}, r"float32 tensor \(c, h, w\), got torch.float64"),
        ({"labels": np.arange(60)}, r"cannot hold out 0.2 of each class, 60 images in all: The least populated"),
        ({"device": "mps"}, "device should be"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_advice(change: Any, message: str) -> None:
    fitting = {"images": np.zeros((60, 3, 16, 16), np.float32), "labels": np.arange(60) % 10, "device": "cpu"}
    with pytest.raises(ValueError, match=message):
        fine_tune(**{"model": resnet(), "recipe": RECIPE} | fitting | change)


def test_recomputing_activations_saves_memory_and_changes_no_weight(few: Any) -> None:
    kept, recomputed = (fine_tune(vit(), *few, replace(RECIPE, checkpointing=flag)) for flag in (False, True))
    assert same(kept.state_dict, recomputed.state_dict)


def test_mixed_precision_learns_nearly_the_same(few: Any) -> None:
    recipes = (replace(RECIPE, bfloat16=flag) for flag in (False, True))
    full, mixed = (fine_tune(vit(), *few, recipe).history[-1]["loss"] for recipe in recipes)
    assert full != mixed == pytest.approx(full, rel=0.02)


def test_early_layers_of_a_model_descend_slower_but_its_head_alone_does_not() -> None:
    recipe, model = replace(RECIPE, layer_decay=0.5, warmup=0.0), vit()
    groups = descent(model, recipe, 0.1, 10)[0].param_groups
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    first, last, head = model.blocks[0].mlp.fc1, model.blocks[1].mlp.fc1, model.get_classifier()
    assert rates[id(first.weight)] == pytest.approx(0.025)
    assert rates[id(last.weight)] == pytest.approx(0.05)
    assert rates[id(head.weight)] == pytest.approx(0.1)
    assert {group["lr"] for group in descent(head, recipe, 0.1, 10)[0].param_groups} == {0.1}


def test_augmentation_moves_each_image_no_further_than_the_recipe_says() -> None:
    batch = torch.zeros(40, 1, 21, 31)
    batch[:, :, 10, 20] = 1.0
    moved = augmented(batch, replace(RECIPE, shift=0.1), torch.Generator().manual_seed(0))
    rows, columns = moved.flatten(1).argmax(1) // 31 - 10, moved.flatten(1).argmax(1) % 31 - 20
    assert 1 <= rows.abs().max() <= 3
    assert 2 <= columns.abs().max() <= 4
    mirrored = augmented(batch, replace(RECIPE, flip=True), torch.Generator().manual_seed(0))
    assert set(mirrored.flatten(1).argmax(1).tolist()) == {10 * 31 + 20, 10 * 31 + 10}
    assert augmented(batch, RECIPE, torch.Generator()) is batch


def test_a_quarter_turn_keeps_distances_also_in_a_wide_image() -> None:
    batch = torch.zeros(60, 1, 21, 31)
    batch[:, :, 10, 19:22] = 1.0
    turned = augmented(batch, replace(RECIPE, rotation=180.0), torch.Generator().manual_seed(0))
    peaks = turned.flatten(1).argmax(1)
    distance = ((peaks // 31 - 10) ** 2 + (peaks % 31 - 15) ** 2).double().sqrt()
    assert distance.sub(5).abs().max() <= 1.5
    assert len(peaks.unique()) > 15


def test_every_miniature_model_is_small_and_answers_ten_classes_at_its_own_size() -> None:
    conf = yaml.safe_load(MINIATURE.read_text())
    assert Recipe(**conf["fine_tuning"]).probe_epochs == 0
    models = conf["models"]
    families = [entry["architecture"] for entry in models.values()]
    assert {name: families.count(name) for name in families} == dict.fromkeys(
        ["ConvNeXt", "EVA", "Inception", "ResNet", "ViT"], 3
    )
    for entry in models.values():
        size = entry["preprocessing"]["input_size"]
        model = timm.create_model(entry["timm"], num_classes=entry["classes"], **entry["arguments"])
        assert model.eval()(torch.zeros(2, 3, size, size)).shape == (2, 10)
        assert sum(parameter.numel() for parameter in model.parameters()) < 300_000
