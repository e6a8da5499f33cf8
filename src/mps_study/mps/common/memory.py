"""What a model answered, by the digest of the mutant, so that nothing is evaluated twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mps_study.mps.types import Reply

_NONE = np.float32(np.nan)


class Memory:
    """Label, confidence, log-odds and margin of each mutant that was evaluated, and which of them were alone.

    What a reply does not say is kept as NaN: log-odds where no class was named, margins where the classifier is exact.
    """

    def __init__(self) -> None:
        self._answers: dict[int, tuple[int, np.float32, np.float32, np.float32]] = {}
        self._alone: set[int] = set()

    def __contains__(self, digest: int) -> bool:
        return digest in self._answers

    def take(self, digests: Iterable[int], reply: Reply, alone: bool = False) -> None:
        """Keep the reply's rows, one a digest, in order; those that were evaluated alone count from now on."""
        rows = len(reply.labels)
        odds = [_NONE] * rows if reply.log_odds is None else list(reply.log_odds)
        margins = [_NONE] * rows if reply.margins is None else list(reply.margins)
        digests = list(digests)
        answers = zip(reply.labels.tolist(), reply.confidences, odds, margins, strict=True)
        self._answers.update(zip(digests, answers, strict=True))
        if alone:
            self._alone.update(digests)

    def settled(self, digest: int, label: int) -> bool:
        """Whether a mutant was evaluated alone, and said the log-odds if a class is named now."""
        if digest not in self._alone:
            return False
        top, _, odds, _ = self._answers[digest]
        return label < 0 or top < 0 or not np.isnan(odds)

    def reply(self, digests: Sequence[int], label: int) -> Reply:
        """The reply to mutants that are known; with log-odds if a class is named, and margins if all have one."""
        labels, confidences, odds, margins = zip(*(self._answers[digest] for digest in digests), strict=True)
        of_all = np.array(margins, dtype=np.float32)
        return Reply(
            np.array(labels, dtype=np.int64),
            np.array(confidences, dtype=np.float32),
            None if np.isnan(of_all).any() else of_all,
            np.array(odds, dtype=np.float32) if label >= 0 else None,
        )
