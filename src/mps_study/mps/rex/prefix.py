"""The shortest prefix of a ranking that is sufficient, by the scan that rex-xai calls its global strategy."""

from __future__ import annotations

import numpy as np

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Prefixes, Ranking
from mps_study.mps.types import Mps, Search

ASKED_AHEAD = 8
"""Prefixes in one question. The first that passes counts, so asking ahead changes no answer."""


def shortest_prefix(inquiry: Inquiry, ranking: Ranking, step: int, most: int | None = None) -> Search[Mps | None]:
    """The first prefix, growing by `step` pixels, that passes and passes again alone in a batch of one.

    At most `most` pixels long; as long as the ranking if not given.

    Passing is not monotone in the length, so the scan starts at the shortest. None if not even the whole image
    passes alone.
    """
    most = ranking.size if most is None else most
    counts = np.minimum(np.arange(step, most + step, step), most)
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
