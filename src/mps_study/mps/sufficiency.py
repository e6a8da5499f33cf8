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


def shortest_prefix(inquiry: Inquiry, ranking: Ranking, most: int | None = None) -> Search[Mps | None]:
    """The first prefix, growing by `chunk_size` pixels, that passes and passes again alone in a batch of one.

    At most `most` pixels long; as long as the ranking if not given.

    Passing is not monotone in the length, so the scan starts at the shortest. None if not even the whole image
    passes alone.
    """
    step, most = inquiry.config.chunk_size, ranking.size if most is None else most
    counts = np.minimum(np.arange(step, most + step, step), most)
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
                return Mps(inquiry.visible(mutant.mask(0)), float(alone.confidences[0]))
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


def floor(inquiry: Inquiry, share: float | None = None) -> float:
    """The confidence that a set must reach, rounded to four decimals; 0 where the class alone decides.

    For the inquiry's share of the original confidence, or another one.
    """
    share = inquiry.share if share is None else share
    demanded = max(inquiry.target.confidence * share, inquiry.config.confidence_floor)
    return round(demanded, _DECIMALS)


def edges(inquiry: Inquiry) -> tuple[float, ...]:
    """The unrounded confidences at which passing begins; replies near them are asked again alone."""
    config = inquiry.config
    floors = {floor(inquiry, share) for share in (inquiry.share, *config.floors)}
    passing = [demanded - 0.5 * 10.0**-_DECIMALS for demanded in sorted(floors) if demanded > 0]
    if config.confidence_filter > 0:
        passing.append(inquiry.target.confidence * config.confidence_filter)
    return tuple(passing)
