"""What a fine-tuning sets for its time and puts back: device, chance, determinism, what takes a gradient."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import nn

from mps_study.models.training.epochs import Loader

logger = logging.getLogger(__name__)


def place_of(device: str | None) -> torch.device:
    """The device of None (CPU), "auto" (CUDA if there is one), "cpu", "cuda" or "cuda:1"."""
    there = torch.cuda.is_available()
    place = torch.device(("cuda" if there else "cpu") if device == "auto" else device or "cpu")
    if place.type not in ("cpu", "cuda"):
        raise ValueError(f'device should be None, "cpu", "auto" or "cuda", got {device!r}')
    if place.type == "cuda" and not there:
        raise ValueError(f'device {device!r}: this machine has no CUDA; "auto" would take the CPU')
    return place


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Torch's global random state is set by the seed inside, and as before afterwards.

    For code that takes no generator: dropout, or the first weights of a new model.
    """
    cuda = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        # torch.manual_seed would also reach the devices that are not put back.
        torch.default_generator.manual_seed(seed)
        for each in cuda:
            with torch.cuda.device(each):
                torch.cuda.manual_seed(seed)
        yield


def random_states(training: Loader, place: torch.device) -> dict[str, torch.Tensor]:
    """The states of all generators that an epoch draws from: torch's own, and the order of the images."""
    states = {"global": torch.get_rng_state(), "order": cast(torch.Generator, training.generator).get_state()}
    return states | ({"cuda": torch.cuda.get_rng_state(place)} if place.type == "cuda" else {})


def set_random_states(states: dict[str, torch.Tensor], training: Loader, place: torch.device) -> None:
    """Put the states of `random_states` back."""
    torch.set_rng_state(states["global"])
    cast(torch.Generator, training.generator).set_state(states["order"])
    if "cuda" in states and place.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], place)


@contextmanager
def deterministic() -> Iterator[None]:
    """Inside, algorithms are deterministic where there are such."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


@contextmanager
def frozen_body(model: nn.Module) -> Iterator[nn.Module]:
    """The model's classifier layer; inside, nothing else takes a gradient."""
    if not hasattr(model, "get_classifier"):
        raise ValueError(f"{type(model).__name__} names no classifier layer: set probe_epochs to 0")
    head = cast(nn.Module, cast(Any, model).get_classifier())
    before = [(p, p.requires_grad) for p in model.parameters()]
    model.requires_grad_(False)
    head.requires_grad_(True)
    try:
        yield head
    finally:
        for parameter, wanted in before:
            parameter.requires_grad_(wanted)


@contextmanager
def recomputed(model: nn.Module) -> Iterator[None]:
    """Inside, the model recomputes its activations rather than keep them, if it can."""
    recompute = cast(Any, model).set_grad_checkpointing
    try:
        recompute(True)
    except AssertionError:  # timm's way of saying that an architecture cannot
        logger.warning("%s cannot recompute activations; it keeps them all", type(model).__name__)
    try:
        yield
    finally:
        recompute(False)
