"""Parts of a set: how the confidence falls as tiles are taken from it, and how many parts still carry the class.

Sub-explanations after Jiang, Khorram and Li (CVPR 2024): subsets of a sufficient set, made by deleting its parts one
after the other, that keep a share of its confidence. A set of which many do so, while the confidence falls slowly, is
compositional; one whose confidence falls at once is held together by all of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.chance import generator
from mps_study.mps.common.evidence import with_log_odds
from mps_study.mps.mutants import Masks, Shape
from mps_study.mps.types import Reply, Search
from mps_study.probing.known import KnownSet, Mask, tiles_of

THRESHOLDS = (0.8, 0.7, 0.6, 0.5)
"""Shares of the set's own confidence at which its parts are counted."""

SHARES = tuple(round(0.1 * step, 1) for step in range(11))
"""Shares of the tiles that are deleted, at which the curve is told."""

ALL, TREE = "all subsets", "tree"
ONE_TILE = "the set has one tile"

_TOGETHER = 128
"""Subsets in one question: their masks are in memory together."""


@dataclass(frozen=True)
class Subsets:
    """How parts of a set are asked about.

    Args:
        all_up_to: tiles of the largest set of which all subsets are asked; a larger one's are asked as a tree, in
            which a part is followed further while it keeps the least of `THRESHOLDS`.
        most: subsets that the tree asks about, at most; where it had to stop there, counts are lower bounds.
        orders: random orders in which all tiles of a larger set are deleted; the curve is their mean.
    """

    all_up_to: int = 12
    most: int = 500
    orders: int = 10


@dataclass(frozen=True)
class SubExplanations:
    """What became of the parts of one set.

    Args:
        tiles: of the set.
        way: `ALL` or `TREE`.
        counts: subsets, without the set itself, that keep each of `THRESHOLDS` of its confidence.
        whole: whether no count is a lower bound.
        curve: mean relative confidence at each of `SHARES`, at most 1: a part that is more confident counts as 1.
        evaluations: questions.
        missing: why there is nothing; empty where there is.
    """

    tiles: int
    way: str = ""
    counts: tuple[int, ...] = ()
    whole: bool = True
    curve: tuple[float, ...] = ()
    evaluations: int = 0
    missing: str = ""

    @property
    def area(self) -> float:
        """Under the curve, in [0, 1]; NaN without one. The larger, the slower the confidence falls."""
        return float(np.trapezoid(self.curve, SHARES)) if self.curve else float("nan")


def confidences(reply: Reply, label: int) -> NDArray[np.float64]:
    """(n,) of the class that was named, whether it is on top or not; NaN where the output was not finite."""
    assert reply.log_odds is not None
    with np.errstate(over="ignore"):
        shares = 1 / (1 + np.exp(-reply.log_odds.astype(np.float64)))
    named = np.where(reply.labels == label, reply.confidences, shares)
    return np.where(reply.labels < 0, np.nan, named).astype(np.float64)


def sub_explanations(known: KnownSet, how: Subsets) -> Search[SubExplanations]:
    """Ask about the parts of a set by its tiles, each alone."""
    tiles = tiles_of(known.mask, known.tile)
    if len(tiles) < 2:
        return SubExplanations(len(tiles), missing=ONE_TILE)
    parts = _Parts(known, tiles)
    if not (yield from parts.begin()):
        return SubExplanations(len(tiles), evaluations=1, missing="the set has no confidence")
    if len(tiles) <= how.all_up_to:
        return (yield from _all(parts))
    return (yield from _tree(parts, how))


class _Parts:
    """Subsets of a set's tiles as bit masks (the first tile is bit 0), and what is known of each."""

    def __init__(self, known: KnownSet, tiles: Sequence[Mask]) -> None:
        self.known, self.n = known, len(tiles)
        self._shape: Shape = (known.mask.shape[0], known.mask.shape[1])
        self._tiles = tiles
        self.full = (1 << self.n) - 1
        self._confidence = float("nan")
        self.relative: dict[int, float] = {}
        self.evaluations = 0

    def begin(self) -> Search[bool]:
        """Ask about the set itself; whether it has any confidence to be shared out."""
        (self._confidence,) = yield from self._asked([self.full])
        self.relative[self.full] = 1.0
        return bool(self._confidence > 0)

    def ask(self, subsets: Sequence[int]) -> Search[None]:
        """Relative confidences of those that are not known yet."""
        new = list(dict.fromkeys(each for each in subsets if each not in self.relative))
        for start in range(0, len(new), _TOGETHER):
            some = new[start : start + _TOGETHER]
            found = yield from self._asked(some)
            for subset, confidence in zip(some, found, strict=True):
                self.relative[subset] = 0.0 if np.isnan(confidence) else float(confidence / self._confidence)

    def counts(self) -> tuple[int, ...]:
        """Subsets known so far, without the set itself, that keep each threshold."""
        values = [value for subset, value in self.relative.items() if subset not in (self.full, 0)]
        return tuple(sum(value >= threshold for value in values) for threshold in THRESHOLDS)

    def without_one(self, subset: int) -> list[int]:
        """The subset without each of its tiles."""
        return [subset & ~(1 << place) for place in range(self.n) if subset >> place & 1]

    def _asked(self, subsets: Sequence[int]) -> Search[NDArray[np.float64]]:
        masks = np.zeros((len(subsets), *self._shape), dtype=bool)
        for row, subset in enumerate(subsets):
            for place in range(self.n):
                if subset >> place & 1:
                    masks[row] |= self._tiles[place]
        label = self.known.label
        question = Masks(self._shape, alone=True, label=label, target=label, masks=masks)
        self.evaluations += len(subsets)
        return confidences(with_log_odds((yield question), question), label)


def _all(parts: _Parts) -> Search[SubExplanations]:
    """Every subset, that of no tile included; the curve is the mean over all of a size."""
    yield from parts.ask(range(parts.full))
    sizes: list[list[float]] = [[] for _ in range(parts.n + 1)]
    for subset, value in parts.relative.items():
        sizes[parts.n - subset.bit_count()].append(min(value, 1.0))
    curve = _at_shares([float(np.mean(values)) for values in sizes], range(parts.n + 1), parts.n)
    return SubExplanations(parts.n, ALL, parts.counts(), True, curve, parts.evaluations)


def _tree(parts: _Parts, how: Subsets) -> Search[SubExplanations]:
    """The tree by levels, the most confident part first, as far as the budget goes; the curve by random orders."""
    level, left, whole = [parts.full], how.most, True
    while level:
        below = list(dict.fromkeys(each for one in level for each in parts.without_one(one) if each))
        whole &= len(below) <= left
        below, left = below[:left], max(0, left - len(below))
        yield from parts.ask(below)
        kept = [each for each in below if parts.relative[each] >= THRESHOLDS[-1]]
        level = sorted(kept, key=lambda each: (-parts.relative[each], each)) if left else []
        whole &= bool(left) or not kept
    counts = parts.counts()
    random = generator("orders of deletion", parts.known.seed, parts.known.key)
    deleted = sorted({round(share * parts.n) for share in SHARES})
    curves = []
    for _ in range(how.orders):
        order = random.permutation(parts.n)
        subsets = [parts.full & ~sum(1 << int(place) for place in order[:gone]) for gone in deleted]
        yield from parts.ask(subsets)
        curves.append([min(parts.relative[each], 1.0) for each in subsets])
    curve = _at_shares([float(value) for value in np.mean(curves, axis=0)], deleted, parts.n)
    return SubExplanations(parts.n, TREE, counts, whole, curve, parts.evaluations)


def _at_shares(values: Sequence[float], deleted: Sequence[int], n: int) -> tuple[float, ...]:
    """The curve at `SHARES`, a line between the points that are known."""
    return tuple(float(value) for value in np.interp(np.array(SHARES) * n, deleted, values))
