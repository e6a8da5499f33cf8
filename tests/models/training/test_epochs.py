"""What an epoch is made of: which images, in which batches, and at which rate each step is taken."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.training.test_training import RECIPE
from mps_study.models.training.epochs import deal, descent


def images_of(*counts: int) -> tuple[Any, Any]:
    """So many images of each class; the first value of an image is its number."""
    n = sum(counts)
    images = np.zeros((n, 1, 2, 2), np.float32)
    images[:, 0, 0, 0] = np.arange(n)
    return images, np.repeat(np.arange(len(counts)), counts)


@pytest.mark.parametrize(("warmup", "climb"), [(0.0, 0), (0.3, 3), (0.99, 9)])
def test_the_rate_climbs_in_a_line_and_falls_to_zero_along_half_a_cosine(warmup: float, climb: int) -> None:
    optimizer, schedule = descent(nn.Linear(2, 2), replace(RECIPE, warmup=warmup), rate=0.1, steps=10)
    rates = []
    for step in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step_update(step + 1)
    falling = 0.05 * (1 + np.cos(np.pi * np.arange(11 - climb) / (10 - climb)))
    assert rates == pytest.approx([*np.linspace(0.001, 0.1, climb + 1)[:climb], *falling], abs=1e-9)


def test_biases_and_normalisations_are_not_decayed() -> None:
    part = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    groups = descent(part, replace(RECIPE, weight_decay=0.25), 0.1, 10)[0].param_groups
    decays = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    assert [decays[id(parameter)] for parameter in part.parameters()] == [0.25, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("seed", range(3))
def test_of_each_class_the_same_share_is_held_out_and_no_image_twice(seed: int) -> None:
    training, held_out = deal(*images_of(40, 10), replace(RECIPE, holdout=0.2, batch_size=8, seed=seed))
    labels = torch.cat([each for _, each in held_out])
    assert labels.bincount().tolist() == [8, 2]
    numbers = [int(n) for loader in (training, held_out) for batch, _ in loader for n in batch[:, 0, 0, 0]]
    assert len(set(numbers)) == len(numbers) == 50


@pytest.mark.parametrize(("batch_size", "sizes"), [(13, [13, 13, 13]), (40, [40]), (64, [40])])
def test_a_last_batch_that_is_not_full_is_left_out_unless_it_is_the_only_one(batch_size: int, sizes: list[int]) -> None:
    """Of 40 images that train one would be alone in its batch, where batch normalisation has no variance."""
    training, held_out = deal(*images_of(40, 10), replace(RECIPE, holdout=0.2, batch_size=batch_size))
    assert [len(labels) for _, labels in training] == sizes
    assert sum(len(labels) for _, labels in held_out) == 10


def test_images_come_in_another_order_every_epoch() -> None:
    training, _ = deal(*images_of(40, 10), replace(RECIPE, batch_size=8))
    first, second = (torch.cat([labels for _, labels in training]).tolist() for _ in range(2))
    numbers = [torch.cat([batch[:, 0, 0, 0] for batch, _ in training]).tolist() for _ in range(2)]
    assert sorted(numbers[0]) == sorted(numbers[1]) and numbers[0] != numbers[1]
    assert sorted(first) == sorted(second)
