"""A model of which only the answers are known: the confidence of one class, every question counted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    from mps_study.models.inference.classifier import OnnxClassifier

Inputs = NDArray[np.float32]
"""(n, c, h, w), preprocessed."""

ROWS = 8
"""Inputs in one call. Fixed, whatever batch a search takes: answers differ by rounding between batches, and a map must
not depend on who made it."""

AT_ONCE = 64
"""Inputs that a method asks about together, in calls of `ROWS`: captum sums up what comes together."""


class BlackBox:
    """Says how sure a model is of a class.

    Args:
        confidences: (inputs, class) -> (n,) float32, in [0, 1]; NaN where the output is not finite. Any forward
            function, such as `confidences_of` an ONNX classifier. Called with at most `rows` inputs.
        rows: inputs in one call.
        workers: calls at the same time; no answer depends on it.

    Attributes:
        evaluations: inputs that were answered so far.
    """

    def __init__(self, confidences: Callable[[Inputs, int], Inputs], rows: int = ROWS, workers: int = 1) -> None:
        self._confidences, self.rows, self._workers = confidences, rows, workers
        self.evaluations = 0

    def ask(self, inputs: Inputs, target: int) -> Inputs:
        """(n,) float32, the confidence of the class for each of the inputs."""
        self.evaluations += len(inputs)
        parts = [inputs[start : start + self.rows] for start in range(0, len(inputs), self.rows)]
        if self._workers == 1 or len(parts) == 1:
            return np.concatenate([self._confidences(part, target) for part in parts])
        with ThreadPoolExecutor(self._workers) as pool:
            return np.concatenate(list(pool.map(lambda part: self._confidences(part, target), parts)))

    def for_captum(self, target: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """The same as a function of tensors, (n, c, h, w) -> (n,)."""
        import torch

        def forward(inputs: torch.Tensor, *_: Any) -> torch.Tensor:
            return torch.from_numpy(self.ask(np.ascontiguousarray(inputs.detach().numpy()), target))

        return forward


def confidences_of(classifier: OnnxClassifier) -> Callable[[Inputs, int], Inputs]:
    """The confidence that a search sees, too: of a softmax, a sigmoid or one of several labels, as the head says."""

    def confidences(inputs: Inputs, target: int) -> Inputs:
        named = np.full(len(inputs), target, dtype=np.int64)
        odds = classifier.head.reply(classifier.logits(inputs), named).log_odds
        assert odds is not None
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(-odds.astype(np.float64)))).astype(np.float32)

    return confidences
