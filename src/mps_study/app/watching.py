"""A bar that counts what a model is asked about one image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mps_study.common.progress import progress_bar
from mps_study.models.inference.batched import BatchedClassifier
from mps_study.mps.types import Reply, Slice


@contextmanager
def watched(classifier: BatchedClassifier) -> Iterator[Watched]:
    """The classifier, with a bar that counts what it is asked."""
    with progress_bar(None, "searching", "evaluation") as bar:
        yield Watched(classifier, bar)


class Watched:
    """A classifier that moves a bar at every reply."""

    def __init__(self, classifier: BatchedClassifier, bar: Any) -> None:
        self._classifier, self._bar = classifier, bar
        self.batch_size, self.workers = classifier.batch_size, classifier.workers

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """The classifier's reply."""
        reply = self._classifier.classify(batch)
        self._bar.update(len(reply.labels))
        return reply
