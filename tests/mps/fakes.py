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


@dataclass
class Telling(FakeClassifier):
    """A fake that also tells the log-odds of the class it is asked about, by a score on the mask."""

    score: object = None

    def classify(self, batch):
        reply = super().classify(batch)
        odds = [
            self.score(part.mutants.mask(row)) if part.mutants.label >= 0 else np.nan
            for part in batch
            for row in range(part.start, part.stop)
        ]
        return Reply(reply.labels, reply.confidences, log_odds=np.array(odds, dtype=np.float32))


@dataclass
class Scored:
    """Class 1 with the log-odds that a score on the mask gives, else class 0."""

    score: object
    batch_size: int = 16
    workers: int = 1

    def classify(self, batch):
        masks = [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]
        odds = np.array([self.score(mask) for mask in masks], dtype=np.float64)
        share = 1 / (1 + np.exp(-odds))
        return Reply(
            (odds > 0).astype(np.int64),
            np.maximum(share, 1 - share).astype(np.float32),
            log_odds=odds.astype(np.float32),
        )


def quick(strategy: str, iterations: int = 2) -> dict[str, int]:
    """Few iterations for a strategy that has some."""
    return {} if strategy in ("minimal", "group_testing") else {"iterations": iterations}


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
