"""What a recipe makes of an epoch: batches, augmentation, descent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]
from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn
from torch.nn.functional import affine_grid, grid_sample
from torch.utils.data import DataLoader, Dataset, Subset

from mps_study.models.training.recipe import Recipe

Images = np.ndarray | torch.Tensor | Dataset[torch.Tensor]
Loader = DataLoader[tuple[torch.Tensor, torch.Tensor]]


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
