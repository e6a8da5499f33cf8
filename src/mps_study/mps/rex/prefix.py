"""The shortest prefix of a ranking that is sufficient, by the scan that rex-xai calls its global strategy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Prefixes, Ranking
from mps_study.mps.types import Mps, Search

ASKED_AHEAD = 8
"""Prefixes in one question. The first that passes counts, so asking ahead changes no answer."""


def shortest_prefix(inquiry: Inquiry, ranking: Ranking, step: int, most: int | None = None) -> Search[Mps | None]:
    """The first prefix, growing by `step` pixels, that passes and passes again alone in a batch of one.

    At most `most` pixels long; as long as the ranking if not given.

    Passing is not monotone in the length, so the scan starts at the shortest. None if not even the whole image
    passes alone. Where a budget may end the scan before, some longer prefixes are asked first, so that it leaves a
    set; the answer, if there is one, stays the same.
    """
    most = ranking.size if most is None else most
    counts = np.minimum(np.arange(step, most + step, step), most)
    if inquiry.left is not None and inquiry.left < len(counts):
        yield from _ask_coarsely(inquiry, ranking, counts)
    tried = 0
    while tried < len(counts):
        asked = counts[tried : tried + ASKED_AHEAD]
        prefixes = Prefixes(ranking.shape, ranking=ranking, counts=asked)
        reply = yield from inquiry.ask(prefixes)
        hits = np.flatnonzero(inquiry.passes(reply))
        for hit in hits.tolist():
            mutant = prefixes.take(np.array([hit]))
            alone = yield from inquiry.ask_alone(mutant)
            if inquiry.passes(alone)[0]:
                inquiry.calls += tried + hit + 1
                return Mps(inquiry.visible(mutant.mask(0)), float(alone.confidences[0]))
        tried += len(asked)
    inquiry.calls += tried
    return None


def _ask_coarsely(inquiry: Inquiry, ranking: Ranking, counts: NDArray[np.int64]) -> Search[None]:
    """Ask every 2**k-th length, every 2**(k-1)-th ..., each time only up to the first that passes, down to each one.

    By then all lengths below the shortest that passes are known to fail.
    """
    stride = 1 << max(0, (len(counts) // ASKED_AHEAD).bit_length() - 1)
    end = len(counts)
    while stride:
        lengths = np.arange(stride - 1, end, stride)
        for start in range(0, len(lengths), ASKED_AHEAD):
            some = lengths[start : start + ASKED_AHEAD]
            reply = yield from inquiry.ask(Prefixes(ranking.shape, ranking=ranking, counts=counts[some]))
            hits = np.flatnonzero(inquiry.passes(reply))
            if hits.size:
                end = int(some[hits[0]])
                break
        stride //= 2
