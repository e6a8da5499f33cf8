"""Classifiers with known answers, for testing the search without a model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mps_study.mps.types import Reply, Slice

Rule = Callable[[np.ndarray], int]
"""Mask (h, w) bool -> label."""


@dataclass
class FakeClassifier:
    """Labels a mutant by a rule on its mask; counts what it is asked."""

    rule: Rule
    batch_size: int = 16
    workers: int = 1
    batches: list[int] = field(default_factory=list)

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Apply the rule to every mask of the batch."""
        masks = [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]
        self.batches.append(len(masks))
        labels = np.array([self.rule(mask) for mask in masks], dtype=np.int64)
        confidences = np.array([0.5 + 0.4 * mask.mean() for mask in masks], dtype=np.float32)
        return Reply(labels, confidences)

    @property
    def rows(self) -> int:
        """Mutants evaluated."""
        return sum(self.batches)


def at_least(known: np.ndarray, t: int) -> Rule:
    """Class 1 as long as at least t pixels of a known set (h, w) bool survive, else class 0."""
    return lambda mask: int((mask & known).sum() >= t)


def blob(shape: tuple[int, int], top: int, left: int, size: int) -> np.ndarray:
    """(h, w) bool with a square of True."""
    mask = np.zeros(shape, dtype=bool)
    mask[top : top + size, left : left + size] = True
    return mask


def blank(shape: tuple[int, int], channels: int = 3) -> np.ndarray:
    """(c, h, w) float32 zeros: fakes look at masks, not at pixels."""
    return np.zeros((channels, *shape), dtype=np.float32)
