"""The shortest prefix of a ranking that is sufficient, by the scan that rex-xai calls its global strategy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Prefixes, Ranking
from mps_study.mps.types import Mps, Reply, Search

ASKED_AHEAD = 8
"""Prefixes in one question. The first that passes counts, so asking ahead changes no answer."""

_DECIMALS = 4


def shortest_prefix(inquiry: Inquiry, ranking: Ranking) -> Search[Mps | None]:
    """The first prefix, growing by `chunk_size` pixels, that passes and passes again alone in a batch of one.

    Passing is not monotone in the length, so the scan starts at the shortest. None if not even the whole image
    passes alone.
    """
    step = inquiry.config.chunk_size
    counts = np.minimum(np.arange(step, ranking.size + step, step), ranking.size)
    tried = 0
    while tried < len(counts):
        asked = counts[tried : tried + ASKED_AHEAD]
        prefixes = Prefixes(ranking.shape, ranking=ranking, counts=asked)
        reply = yield from inquiry.ask(prefixes)
        hits = np.flatnonzero(passes(reply, inquiry))
        for hit in hits.tolist():
            mutant = prefixes.take(np.array([hit]))
            alone = yield from inquiry.ask_alone(mutant)
            if passes(alone, inquiry)[0]:
                inquiry.calls += tried + hit + 1
                return Mps(mutant.mask(0), float(alone.confidences[0]))
        tried += len(asked)
    inquiry.calls += tried
    return None


def passes(reply: Reply, inquiry: Inquiry) -> NDArray[np.bool_]:
    """(n,) whether each mutant has the target class with the demanded confidence.

    Confidences are compared after rounding to four decimals, as rex-xai does.
    """
    same: NDArray[np.bool_] = reply.labels == inquiry.target.label
    if floor(inquiry) > 0:
        same &= np.round(reply.confidences, _DECIMALS) >= floor(inquiry)
    return same


def floor(inquiry: Inquiry) -> float:
    """The confidence that a set must reach, rounded to four decimals; 0 where the class alone decides."""
    config = inquiry.config
    demanded = max(inquiry.target.confidence * config.minimum_confidence_threshold, config.confidence_floor)
    return round(demanded, _DECIMALS)


def passing_edge(inquiry: Inquiry) -> float:
    """The unrounded confidence at which passing begins; replies near it are asked again alone."""
    return floor(inquiry) - 0.5 * 10.0**-_DECIMALS
