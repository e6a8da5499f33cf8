"""Insertion and deletion curves: how the class comes and goes with the pixels of a ranking.

Petsiuk, Das, Saenko 2018, RISE: Randomized Input Sampling for Explanation of Black-box Models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Prefixes, Ranking
from mps_study.mps.types import Curves, Search


def curves_of(inquiry: Inquiry, ranking: Ranking, steps: int) -> Search[Curves]:
    """Confidence of the target class as pixels are inserted in order of rank, and as they are deleted.

    `steps` equal steps from none of the pixels to all of them. Each point is asked alone, so that the curve
    does not depend on the batch.
    """
    counts = np.rint(np.linspace(0, ranking.size, steps + 1)).astype(np.int64)
    rest = Ranking(ranking.order[::-1], ranking.shape)
    insertion = yield from _confidences(inquiry, ranking, counts)
    deletion = yield from _confidences(inquiry, rest, counts[::-1])
    return Curves(counts / ranking.size, insertion, deletion)


def _confidences(inquiry: Inquiry, ranking: Ranking, counts: NDArray[np.int64]) -> Search[NDArray[np.float32]]:
    """(k,) of the target class, with the first `counts` pixels kept."""
    prefixes = Prefixes(ranking.shape, label=inquiry.target.label, ranking=ranking, counts=counts)
    reply = yield from inquiry.ask_alone(prefixes)
    assert reply.log_odds is not None
    odds = np.exp(-reply.log_odds.astype(np.float64))
    return (1 / (1 + odds)).astype(np.float32)
