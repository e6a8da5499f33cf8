"""A model in torch: its answers and their gradients, every one counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mps_study.models.roster.roster import ModelEntry
from mps_study.models.weights.loading import load_model
from mps_study.saliency.faults import no_torch_form

ROWS = 8
"""Inputs in one call, so that a method that asks about many needs no more memory than this."""


class WhiteBox:
    """Answers and gradients of a torch model (n, c, h, w) -> logits (n, classes), in evaluation mode.

    Attributes:
        name: the roster's, for messages.
        module: the model; its weights take no gradient.
        evaluations: inputs that were answered without a gradient so far.
        gradients: inputs that were answered with one; each is a pass forward and one back.
    """

    def __init__(self, name: str, module: nn.Module, device: str = "cpu") -> None:
        self.name, self.device = name, torch.device(device)
        self.module = module.eval().requires_grad_(False).to(self.device)
        self.evaluations, self.gradients = 0, 0

    def logits(self, inputs: torch.Tensor, *_: Any) -> torch.Tensor:
        """(n, classes); counted as gradients where one is being recorded."""
        if torch.is_grad_enabled():
            self.gradients += len(inputs)
        else:
            self.evaluations += len(inputs)
        answers: torch.Tensor = self.module(inputs)
        return answers

    def confidences(self, target: int) -> Callable[..., torch.Tensor]:
        """A function of inputs: (n,) the softmax of a class."""

        def forward(inputs: torch.Tensor, *_: Any) -> torch.Tensor:
            return self.logits(inputs).softmax(dim=1)[:, target]

        return forward

    def tensor(self, values: NDArray[np.float32]) -> torch.Tensor:
        """(c, h, w) -> (1, c, h, w), where the model is."""
        return torch.from_numpy(np.ascontiguousarray(values)[None]).to(self.device)


def white_box(name: str, entry: ModelEntry, checkpoint: Path | None, device: str) -> WhiteBox:
    """The torch model of a roster entry.

    Raises:
        ValueError: the entry is an ONNX file, which has no torch form.
        WeightsError: its weights cannot be had.
    """
    fault = no_torch_form(name, entry)
    if fault:
        raise ValueError(fault)
    return WhiteBox(name, load_model(name, entry, checkpoint), device)


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Torch on one CPU thread inside: how many there are changes the last digits, and with them the order of pixels."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
