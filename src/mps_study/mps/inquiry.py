"""What one image has been asked so far: memory, counts, and a second look at narrow margins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants
from mps_study.mps.types import Reply, Search, SearchConfig, Target


class Inquiry:
    """Asks for one image on behalf of its searches.

    No mutant is evaluated twice. A reply whose two best logits lie within `margin_tolerance`, or whose confidence
    lies that near (relatively) to one of `edges`, where passing is decided, is asked again in a batch of one:
    rounding differs between batch shapes, and the answer must not.

    `calls` is kept by the strategies (see `MpsRecord.calls`), `evaluations` here.
    """

    def __init__(self, config: SearchConfig) -> None:
        self.config = config
        self.target = Target(-1, float("nan"))
        self.edges: tuple[float, ...] = ()
        self.calls = 0
        self.evaluations = 0
        self._memory: dict[int, tuple[int, np.float32]] = {}

    def ask(self, mutants: Mutants) -> Search[Reply]:
        """Labels and confidences of the mutants, from memory where they are known."""
        digests: list[int] = mutants.digests().tolist()
        memory = self._memory
        new: dict[int, int] = {}
        for row, digest in enumerate(digests):
            if digest not in memory:
                new.setdefault(digest, row)
        if new:
            rows = np.fromiter(new.values(), dtype=np.intp, count=len(new))
            fresh = mutants if len(rows) == len(digests) else mutants.take(rows, mutants.alone)
            labels, confidences = yield from self._settle(fresh)
            memory.update(zip(new, zip(labels.tolist(), confidences, strict=True), strict=True))
        known = [memory[digest] for digest in digests]
        return Reply(
            np.array([label for label, _ in known], dtype=np.int64),
            np.array([confidence for _, confidence in known], dtype=np.float32),
        )

    def ask_alone(self, mutants: Mutants) -> Search[Reply]:
        """Labels and confidences, each evaluated now in a batch of one; memory takes them for the truth."""
        alone = mutants.take(np.arange(len(mutants)), alone=True)
        self.evaluations += len(mutants)
        reply = yield alone
        replies = zip(reply.labels.tolist(), reply.confidences, strict=True)
        self._memory.update(zip(alone.digests().tolist(), replies, strict=True))
        return reply

    def _settle(self, mutants: Mutants) -> Search[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        self.evaluations += len(mutants)
        reply = yield mutants
        labels, confidences = reply.labels, reply.confidences
        if reply.margins is not None and not mutants.alone:
            tolerance = self.config.margin_tolerance
            close = reply.margins < tolerance
            for edge in self.edges:
                close |= np.abs(confidences - edge) < tolerance * edge
            narrow = np.flatnonzero(close)
            if narrow.size:
                again = yield mutants.take(narrow, alone=True)
                labels, confidences = labels.copy(), confidences.copy()
                labels[narrow], confidences[narrow] = again.labels, again.confidences
        return labels, confidences
