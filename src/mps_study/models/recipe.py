"""The hyper-parameters of one fine-tuning, and what they decide: batches, augmentation, descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn
from torch.nn.functional import affine_grid, grid_sample
from torch.utils.data import DataLoader, Dataset, Subset

Images = np.ndarray | torch.Tensor | Dataset[torch.Tensor]
Loader = DataLoader[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained: a linear probe, then all weights, stopped by held-out images.

    The paper fine-tunes on Caltech-256 without naming a recipe; these are the two usual phases.
    Both use AdamW, a linear warm-up and a cosine decay to zero.

    Attributes:
        probe_epochs: Epochs, at most, in which only the classifier layer trains. 0 for a model
            without pretrained weights.
        epochs: Epochs, at most, in which all weights train.
        batch_size: Images a step.
        learning_rate: Highest rate while all weights train.
        probe_learning_rate: Highest rate of the linear probe.
        weight_decay: AdamW's; biases, normalisations and other vectors have none.
        warmup: Share of a phase's steps in which the rate climbs, in [0, 1).
        label_smoothing: Share of the target spread over all classes, in [0, 1).
        holdout: Share of the images held out of training, of each class alike, in (0, 0.5].
        patience: Epochs without a better one on the held-out images before a phase stops.
        seed: Decides split, order, augmentation and dropout.
        shift: Largest random shift, a share of the image's side, in [0, 0.5].
        rotation: Largest random rotation to either side, degrees.
        flip: Whether half of the images, at random, are mirrored left to right.
        layer_decay: Rate of a layer over that of the layer behind it, in (0, 1]: below 1 it spares
            the early layers of a pretrained model.
        bfloat16: Whether the model runs in mixed precision: faster, half the memory.
        checkpointing: Whether activations are recomputed instead of kept, by models that can: far less memory, a third
            more time.

    Raises:
        TypeError: a value is of the wrong type.
        ValueError: a value is out of range, or nothing would train.
    """

    probe_epochs: int
    epochs: int
    batch_size: int
    learning_rate: float
    probe_learning_rate: float
    weight_decay: float
    warmup: float
    label_smoothing: float
    holdout: float
    patience: int
    seed: int
    shift: float = 0.0
    rotation: float = 0.0
    flip: bool = False
    layer_decay: float = 1.0
    bfloat16: bool = False
    checkpointing: bool = False

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_type(each.name, str(each.type), getattr(self, each.name))
        for name, (rule, holds) in _RULES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and holds(value)):
                raise ValueError(f"fine-tuning: {name} should be {rule}, got {value}")
        if self.probe_epochs + self.epochs == 0:
            raise ValueError("fine-tuning: nothing would train; raise epochs or probe_epochs")


def _check_type(name: str, wanted: str, value: object) -> None:
    fits = isinstance(value, int) or (wanted == "float" and isinstance(value, float))
    if fits and isinstance(value, bool) == (wanted == "bool"):
        return
    hint = " (YAML reads 1e-3 as text: write 1.0e-3)" if isinstance(value, str) else ""
    raise TypeError(f"fine-tuning: {name} should be of type {wanted}, got {value!r}{hint}")


_RULES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "probe_epochs": ("0 or more", lambda v: v >= 0),
    "epochs": ("0 or more", lambda v: v >= 0),
    "batch_size": ("1 or more", lambda v: v >= 1),
    "learning_rate": ("a finite number above 0", lambda v: v > 0),
    "probe_learning_rate": ("a finite number above 0", lambda v: v > 0),
    "weight_decay": ("a finite number, 0 or more", lambda v: v >= 0),
    "warmup": ("a share in [0, 1)", lambda v: 0 <= v < 1),
    "label_smoothing": ("a share in [0, 1)", lambda v: 0 <= v < 1),
    "holdout": ("a share in (0, 0.5]", lambda v: 0 < v <= 0.5),
    "patience": ("1 or more", lambda v: v >= 1),
    "seed": ("in [0, 2**32)", lambda v: 0 <= v < 2**32),
    "shift": ("a share in [0, 0.5]", lambda v: 0 <= v <= 0.5),
    "rotation": ("degrees in [0, 180]", lambda v: 0 <= v <= 180),
    "layer_decay": ("in (0, 1]", lambda v: 0 < v <= 1),
}


def deal(images: Images, labels: np.ndarray, recipe: Recipe, workers: int = 0) -> tuple[Loader, Loader]:
    """Batches of the images that train, in a new order every epoch, and of those held out.

    Args:
        images: (n, c, h, w) float32, or a Dataset of n items (c, h, w) float32.
        labels: (n,) integers.
        recipe: Share held out, batch size and seed.
        workers: Processes that read the images ahead.

    Raises:
        ValueError: images and labels do not match, or a class has too few images to be divided.
    """
    data = _Labelled(images, labels)
    try:
        from sklearn.model_selection import train_test_split  # two seconds, which nobody else need wait for

        training, held_out = train_test_split(
            range(len(data)), test_size=recipe.holdout, stratify=labels, random_state=recipe.seed
        )
    except ValueError as error:
        raise ValueError(
            f"cannot hold out {recipe.holdout:g} of each class, {len(data)} images in all: {error}"
        ) from error
    return (
        DataLoader(
            Subset(data, training),
            recipe.batch_size,
            shuffle=True,
            generator=torch.Generator().manual_seed(recipe.seed),
            num_workers=workers,
            # A last batch of a single image would break batch normalisation.
            drop_last=len(training) > recipe.batch_size,
        ),
        DataLoader(Subset(data, held_out), recipe.batch_size, num_workers=workers),
    )


class _Labelled(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pairs of an image (c, h, w) and its label ()."""

    def __init__(self, images: Images, labels: np.ndarray) -> None:
        self.images: Any = torch.from_numpy(images) if isinstance(images, np.ndarray) else images
        self.labels = torch.from_numpy(np.asarray(labels))
        n = len(self.images)  # type: ignore[arg-type]
        if self.labels.shape != (n,) or self.labels.is_floating_point():
            got = f"{self.labels.dtype} {tuple(self.labels.shape)}"
            raise ValueError(f"labels should be ({n},) integers, one an image; got {got}")
        first = self.images[0]
        kind, axes = getattr(first, "dtype", type(first)), tuple(getattr(first, "shape", ()))
        if kind != torch.float32 or len(axes) != 3:
            raise ValueError(f"an image should be a float32 tensor (c, h, w), got {kind} {axes}")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[index], self.labels[index].long()


def augmented(batch: torch.Tensor, recipe: Recipe, generator: torch.Generator) -> torch.Tensor:
    """The images (b, c, h, w), each rotated, shifted and mirrored at random; their edges repeat."""
    if not (recipe.shift or recipe.rotation or recipe.flip):
        return batch
    n, _, height, width = batch.shape
    draw = 2 * torch.rand(4, n, generator=generator) - 1
    angle = draw[0] * math.radians(recipe.rotation)
    right, down = 2 * recipe.shift * draw[1:3]
    mirror = torch.where(draw[3] < 0, -1.0, 1.0) if recipe.flip else torch.ones(n)
    turn = [angle.cos() * mirror, -angle.sin() * height / width, right]
    turn += [angle.sin() * mirror * width / height, angle.cos(), down]
    grid = affine_grid(torch.stack(turn, 1).view(n, 2, 3), list(batch.shape), align_corners=False)
    return grid_sample(batch, grid, padding_mode="border", align_corners=False)


def descent(
    part: nn.Module, recipe: Recipe, rate: float, steps: int
) -> tuple[torch.optim.Optimizer, CosineLRScheduler]:
    """AdamW on the weights that take a gradient, and its rate for each of the steps.

    Layers descend at their own rates only if the part is a timm model, which can name its layers.
    """
    layered = recipe.layer_decay < 1 and hasattr(part, "group_matcher")
    optimizer = create_optimizer_v2(
        part,
        opt="adamw",
        lr=rate,
        weight_decay=recipe.weight_decay,
        layer_decay=recipe.layer_decay if layered else None,
    )
    climb = min(round(recipe.warmup * steps), steps - 1)
    schedule = CosineLRScheduler(
        optimizer,
        t_initial=steps - climb,
        warmup_t=climb,
        warmup_lr_init=rate / 100,
        warmup_prefix=True,
        t_in_epochs=False,
    )
    return optimizer, schedule
