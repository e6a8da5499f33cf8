"""Fine-tuning of any timm classifier on any labelled images, stopped by the images held out."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from mps_study.common.progress import progress_bar
from mps_study.models.training.epochs import Images, Loader, augmented, deal, descent
from mps_study.models.training.recipe import Recipe
from mps_study.models.training.surroundings import (
    deterministic,
    frozen_body,
    place_of,
    random_states,
    recomputed,
    seeded,
    set_random_states,
)

logger = logging.getLogger(__name__)

Epoch = dict[str, Any]
Progress = Callable[[Epoch], None]

State = dict[str, Any]
"""A fine-tuning after an epoch: tensors, numbers, text, and lists and dictionaries of them."""


class Ledger(Protocol):
    """Where a fine-tuning keeps its state between epochs."""

    def read(self) -> State | None:
        """The last state that was written; None if there is none."""

    def write(self, state: State) -> None:
        """Keep this state in place of the last."""


CLIP = 1.0
"""Largest norm of a step's gradient: one odd batch cannot throw pretrained weights away."""


@dataclass(frozen=True)
class Trained:
    """The best held-out epoch of one fine-tuning.

    Attributes:
        state_dict: That epoch's weights and buffers, on the CPU.
        holdout_accuracy: Its share of held-out images classified correctly.
        epochs: Epochs run, of both phases, those after the best one included.
        history: One row an epoch: `epoch` (from 1), `phase` (`probe` | `full`), `learning_rate` (of its last step),
            `loss` (mean of its steps), `holdout_loss`, `holdout_accuracy`.
    """

    state_dict: dict[str, torch.Tensor]
    holdout_accuracy: float
    epochs: int
    history: list[Epoch]


def fine_tune(
    model: nn.Module,
    images: Images,
    labels: np.ndarray,
    recipe: Recipe,
    *,
    progress: Progress | None = None,
    ledger: Ledger | None = None,
    device: str | None = None,
    workers: int = 0,
) -> Trained:
    """The weights of the epoch that classified the held-out images best.

    An epoch is better if more held-out images are right, or as many with a smaller loss. Trains in place: the model
    ends on the device, in evaluation mode, with the weights that are returned.

    The same model, images, recipe and machine, its number of threads included, give the same weights bit for bit; the
    global random state is left alone. On CUDA, deterministic algorithms run where there are any; cuBLAS also wants
    CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment.

    Args:
        model: A timm classifier with an output for every class.
        images: (n, c, h, w) float32, preprocessed; or a Dataset of n items (c, h, w) float32, which may decode lazily:
            it is asked item by item, and one batch is held at a time.
        labels: (n,) class indices, integers from 0.
        recipe: The hyper-parameters.
        progress: Called with each epoch's row of the history.
        ledger: Keeps the state after each epoch. One that holds a state goes on behind its epoch, and ends with the
            weights, to the bit, of a fine-tuning that was never interrupted.
        device: None for the CPU, "auto" for CUDA if there is one, or a device such as "cuda:1".
        workers: Processes that read a Dataset ahead.

    Raises:
        ValueError: model, images, labels, holdout or device do not fit together.
        FloatingPointError: the loss is no longer a finite number.
    """
    place, (training, held_out) = place_of(device), deal(images, labels, recipe, workers)
    _check(model, labels)
    run = _Run(model.to(place), recipe, place, training, held_out, progress, ledger)
    with seeded(recipe.seed, place), deterministic():
        run.resume()
        if recipe.probe_epochs and run.is_ahead("probe"):
            with frozen_body(model) as head:
                run.phase("probe", head, recipe.probe_epochs, recipe.probe_learning_rate)
        if recipe.epochs and run.is_ahead("full"):
            with recomputed(model) if recipe.checkpointing else nullcontext():
                run.phase("full", model, recipe.epochs, recipe.learning_rate)
    model.load_state_dict(run.state)
    model.eval()
    message = "fine-tuned %s on %s: %.1f %% of the held-out images right after epoch %d of %d"
    logger.debug(message, type(model).__name__, place, 100 * run.accuracy, run.epoch, len(run.history))
    return Trained(run.state, run.accuracy, len(run.history), run.history)


@dataclass
class _Run:
    """A fine-tuning under way, and its best epoch so far."""

    model: nn.Module
    recipe: Recipe
    place: torch.device
    training: Loader
    held_out: Loader
    progress: Progress | None
    ledger: Ledger | None
    history: list[Epoch] = field(default_factory=list)
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    epoch: int = 0
    accuracy: float = -1.0
    loss: float = math.inf
    resumed: State | None = None

    def resume(self) -> None:
        """Take up the ledger's state, if it holds one."""
        self.resumed = state = self.ledger.read() if self.ledger else None
        if state is not None:
            self.history, self.state = state["history"], state["best"]
            self.epoch, self.accuracy, self.loss = state["best_row"]
            self.model.load_state_dict(state["model"])
            set_random_states(state["random"], self.training, self.place)
            logger.info("going on behind epoch %d", len(self.history))

    def is_ahead(self, name: str) -> bool:
        """Whether any of this phase is still to be done."""
        if self.resumed is None or self.resumed["phase"] == name:
            return self.resumed is None or not self.resumed["over"]
        return name == "full"  # the only phase that has one before it

    def phase(self, name: str, part: nn.Module, epochs: int, rate: float) -> None:
        """Train a part of the model, or all of it, until the epochs or the patience run out."""
        start, steps = len(self.history), epochs * len(self.training)
        optimizer, schedule = descent(part, self.recipe, rate, steps)
        draw, step = torch.Generator().manual_seed(self.recipe.seed), 0
        if self.resumed is not None and self.resumed["phase"] == name:
            start, step = self.resumed["start"], self.resumed["step"]
            optimizer.load_state_dict(self.resumed["optimizer"])
            draw.set_state(self.resumed["draw"])
        self.resumed = None
        with progress_bar(steps, name, "step", step, leave=False) as bar:
            for epoch in range(len(self.history) + 1, start + 1 + epochs):
                self.model.eval()
                part.train()
                losses = []
                for batch, labels in self.training:
                    used = optimizer.param_groups[-1]["lr"]
                    loss, _ = self._ask(augmented(batch, self.recipe, draw), labels)
                    losses.append(_finite(loss.item(), epoch))
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    nn.utils.clip_grad_norm_(part.parameters(), CLIP)
                    optimizer.step()
                    step += 1
                    schedule.step_update(step)
                    bar.update()
                row = {"epoch": epoch, "phase": name, "learning_rate": used}
                self._keep(row | {"loss": float(np.mean(losses))} | self._judge(epoch))
                bar.set_postfix(accuracy=f"{self.accuracy:.3f}", refresh=False)
                over = epoch == start + epochs or epoch - max(self.epoch, start) >= self.recipe.patience
                if self.ledger is not None:
                    where = {"phase": name, "start": start, "step": step, "over": over, "draw": draw.get_state()}
                    self.ledger.write(self._state() | where | {"optimizer": optimizer.state_dict()})
                if over:
                    break

    def _ask(self, batch: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean loss of a batch (b, c, h, w), and which images are right, (b,) bool."""
        batch, labels = batch.to(self.place), labels.to(self.place)
        with torch.autocast(self.place.type, torch.bfloat16, self.recipe.bfloat16):
            logits = self.model(batch)
            loss = cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        return loss, logits.argmax(1) == labels

    # Not inference_mode: a model may cache a tensor here that the next epoch needs a gradient of.
    @torch.no_grad()
    def _judge(self, epoch: int) -> Epoch:
        self.model.eval()
        loss, right, n = 0.0, 0, 0
        for batch, labels in self.held_out:
            mean, hits = self._ask(batch, labels)
            loss += _finite(mean.item(), epoch) * len(labels)
            right += int(hits.sum())
            n += len(labels)
        return {"holdout_loss": loss / n, "holdout_accuracy": right / n}

    def _keep(self, row: Epoch) -> None:
        self.history.append(row)
        accuracy, loss = row["holdout_accuracy"], row["holdout_loss"]
        if (accuracy, -loss) > (self.accuracy, -self.loss):
            self.epoch, self.accuracy, self.loss = row["epoch"], accuracy, loss
            self.state = self._weights()
        if self.progress is not None:
            self.progress(row)

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: each.to("cpu", copy=True) for name, each in self.model.state_dict().items()}

    def _state(self) -> State:
        """All that the epochs to come depend on but the optimizer and its phase."""
        return {
            "history": self.history,
            "best": self.state,
            "best_row": [self.epoch, self.accuracy, self.loss],
            # Shared, they are written once.
            "model": self.state if self.epoch == len(self.history) else self._weights(),
            "random": random_states(self.training, self.place),
        }


def _finite(loss: float, epoch: int) -> float:
    if math.isfinite(loss):
        return loss
    advice = "lower learning_rate (or probe_learning_rate, in the probe) or raise warmup"
    at_once = "if it happens at once, look for NaN or huge values in the images"
    raise FloatingPointError(f"the loss became {loss} in epoch {epoch}: {advice}; {at_once}")


def _check(model: nn.Module, labels: np.ndarray) -> None:
    outputs = getattr(model, "num_classes", None)
    if isinstance(outputs, int) and not 0 <= labels.min() <= labels.max() < outputs:
        got = f"the labels run from {labels.min()} to {labels.max()}, but the model has {outputs} outputs"
        raise ValueError(f"{got}: create it with num_classes=..., or call its reset_classifier(num_classes)")
