"""Explanations that demand more than sufficiency, read from the same ranking, as rex-xai 0.4.1 has them.

Contrastive: sufficient at (a share of) the whole image's confidence, and without it the image gets another class.
Complete: as confident alone as the whole image, to two decimals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import number
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Prefixes, Ranking
from mps_study.mps.rex.prefix import ASKED_AHEAD
from mps_study.mps.rex.ranked import Ranked
from mps_study.mps.types import Found, Mps, Reply, Search

_DECIMALS, _COMPLETE_DECIMALS = 4, 2


@dataclass(frozen=True)
class Contrastive(Ranked):
    """ReX's contrastive explanation: the shortest prefix that is sufficient and necessary.

    Args:
        contrastive_threshold: share of the original confidence that the set must keep alone; rex-xai's is 1.
    """

    contrastive_threshold: float = number(1.0, 0.0, 1.0)

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The prefix with the class of the image without it, the map, and its curves."""
        inquiry.watch(*_edges(inquiry, self.contrastive_threshold))
        landscape, ranking, drawn = yield from self.ranked(inquiry)
        mps = yield from shortest_contrastive_prefix(inquiry, ranking, self.chunk_size, self.contrastive_threshold)
        if mps is not None:
            mps = yield from self.finished(inquiry, ranking, mps)
        return Found(mps, landscape, drawn)

    def finished(self, inquiry: Inquiry, ranking: Ranking, contrastive: Mps) -> Search[Mps | None]:
        """What becomes of the prefix that was found."""
        yield from ()
        return contrastive


@dataclass(frozen=True)
class Complete(Contrastive):
    """ReX's complete explanation: the contrastive one, filled up until it is as confident as the whole image."""

    def finished(self, inquiry: Inquiry, ranking: Ranking, contrastive: Mps) -> Search[Mps | None]:
        """The prefix, filled up."""
        return (yield from completed(inquiry, ranking, self.chunk_size, contrastive))


def shortest_contrastive_prefix(inquiry: Inquiry, ranking: Ranking, step: int, threshold: float) -> Search[Mps | None]:
    """The first prefix, growing by `step` pixels, that keeps the class and whose removal changes it.

    Alone it must reach the `threshold`, a share of the original confidence, compared after rounding to four decimals.
    Both halves are asked again alone. `Mps.contrast` is the class of the image without it. None if there is none,
    as where the baseline alone gives the class.
    """
    rest = Ranking(ranking.order[::-1], ranking.shape)
    counts = _counts(step, ranking.size)
    demanded = _demanded(inquiry, threshold)
    for start in range(0, len(counts), ASKED_AHEAD):
        asked = counts[start : start + ASKED_AHEAD]
        kept = Prefixes(ranking.shape, ranking=ranking, counts=asked)
        removed = Prefixes(ranking.shape, ranking=rest, counts=ranking.size - asked)
        reply = yield from inquiry.ask(kept)
        hits = np.flatnonzero(_keeps(inquiry, reply, demanded))
        if hits.size:
            inquiry.candidate = kept.take(hits[:1]) if inquiry.candidate is None else inquiry.candidate
            without = yield from inquiry.ask(removed.take(hits))
            hits = hits[_changes(inquiry, without)]
        for hit in hits.tolist():
            row = np.array([hit])
            alone = yield from inquiry.ask_alone(kept.take(row))
            if _keeps(inquiry, alone, demanded)[0]:
                inquiry.candidate = kept.take(row)
            without = yield from inquiry.ask_alone(removed.take(row))
            if _keeps(inquiry, alone, demanded)[0] and _changes(inquiry, without)[0]:
                inquiry.calls += 2 * (start + hit + 1)
                return Mps(kept.mask(hit), float(alone.confidences[0]), contrast=int(without.labels[0]))
    inquiry.calls += 2 * len(counts)
    return None


def completed(inquiry: Inquiry, ranking: Ranking, step: int, contrastive: Mps) -> Search[Mps | None]:
    """The contrastive prefix with as many of the least responsible pixels as make it as confident as the whole image.

    rex-xai returns only the pixels that are added; the set here holds both, and passes alone. rex-xai's answer
    depends on its batch size; this is the one of batch size 1.
    """
    n = int(contrastive.mask.sum())
    if round(contrastive.confidence, _DECIMALS) == round(inquiry.target.confidence, _DECIMALS):
        return contrastive
    order = np.concatenate([ranking.order[:n], ranking.order[n:][::-1]])
    filled = Ranking(order, ranking.shape)
    counts = n + _counts(step, ranking.size - n)
    for start in range(0, len(counts), ASKED_AHEAD):
        sets = Prefixes(ranking.shape, ranking=filled, counts=counts[start : start + ASKED_AHEAD])
        reply = yield from inquiry.ask(sets)
        for hit in np.flatnonzero(_as_confident(inquiry, reply)).tolist():
            alone = yield from inquiry.ask_alone(sets.take(np.array([hit])))
            if _as_confident(inquiry, alone)[0]:
                inquiry.calls += start + hit + 1
                return Mps(sets.mask(hit), float(alone.confidences[0]), contrast=contrastive.contrast)
    inquiry.calls += len(counts)
    return None


def _edges(inquiry: Inquiry, threshold: float) -> tuple[float, ...]:
    """The confidences at which these explanations begin or end; replies near them are asked again alone."""
    whole = round(inquiry.target.confidence, _COMPLETE_DECIMALS)
    half = 0.5 * 10.0**-_COMPLETE_DECIMALS
    return (_demanded(inquiry, threshold) - 0.5 * 10.0**-_DECIMALS, whole - half, whole + half)


def _counts(step: int, pixels: int) -> NDArray[np.int64]:
    return np.minimum(np.arange(step, pixels + step, step), pixels)


def _demanded(inquiry: Inquiry, threshold: float) -> float:
    return round(inquiry.target.confidence * threshold, _DECIMALS)


def _keeps(inquiry: Inquiry, reply: Reply, demanded: float) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = reply.labels == inquiry.target.label
    return same & (np.round(reply.confidences, _DECIMALS) >= np.float32(demanded))


def _changes(inquiry: Inquiry, reply: Reply) -> NDArray[np.bool_]:
    changed: NDArray[np.bool_] = (reply.labels != inquiry.target.label) & (reply.labels >= 0)
    return changed


def _as_confident(inquiry: Inquiry, reply: Reply) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = reply.labels == inquiry.target.label
    wanted = round(inquiry.target.confidence, _COMPLETE_DECIMALS)
    return same & np.isclose(np.round(reply.confidences.astype(np.float64), _COMPLETE_DECIMALS), wanted, atol=1e-9)
