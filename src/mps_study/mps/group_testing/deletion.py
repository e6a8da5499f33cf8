"""Deletes tiles of a sufficient set by group tests, until each that is left was asked about alone and is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.evidence import EVIDENCE_STEPS
from mps_study.mps.group_testing.belief import MOST, Belief, Tiles
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import remember
from mps_study.mps.minimal.tiles import Cells, Grid, Kept
from mps_study.mps.types import Search

SHRINK, GROW = 0.6, 2.0
"""By what the most tiles of a group change when a group fails or passes."""

FIRST_SHARE = 1 / 8
"""Of the tiles, the most in the first group."""

AHEAD, AT_ONCE = 0.3, 8
"""Single tiles that are asked about together: at most so many, that are expected to win at most so many tiles."""


HOPE, HOPED = 0.15, 3
"""A question that is expected to win fewer tiles gives little hope for a set that has so many too many."""


@dataclass
class Sufficient:
    """A set of tiles (t,) bool that passes, and its slack in nats."""

    kept: Kept
    slack: float

    @property
    def tiles(self) -> int:
        """How many it has."""
        return int(self.kept.sum())


def weighed(inquiry: Inquiry, grid: Grid, kept: NDArray[np.bool_]) -> Search[tuple[NDArray[np.bool_], list[float]]]:
    """Of n sets (n, t) bool: (n,) which pass, and the slack of each in nats."""
    inquiry.calls += len(kept)
    reply = yield from inquiry.ask(Cells(grid.shape, label=inquiry.target.label, grid=grid, kept=kept))
    return inquiry.passes(reply), (inquiry.slack(reply) / EVIDENCE_STEPS).tolist()


def delete(
    inquiry: Inquiry, belief: Belief, found: Sufficient, least: float, smaller_than: int | None = None
) -> Search[Sufficient]:
    """What is left of a set; with a `least` of 0 it can spare no tile, and the last questions were its certificate.

    The next question is the group that is expected to win most tiles: their number times the chance that the set
    passes without them. How large it may be doubles when one passes and shrinks when one fails. A single tile whose
    deletion failed is not asked about again until the set has changed. Where the best question is expected to win
    fewer tiles than `least` it ends; and, with `smaller_than`, where little is to be won and the set has more
    tiles than that.
    """
    grid, kept, slack = belief.grid, found.kept, found.slack
    needed = grid.nothing()
    most = max(1.0, kept.sum() * FIRST_SHARE)
    while (free := np.flatnonzero(kept & ~needed)).size:
        groups, wins = _next_groups(belief, free, slack, int(min(most, kept.sum() - 1)))
        hopeless = smaller_than is not None and wins < HOPE and kept.sum() >= smaller_than + HOPED
        if wins < least or hopeless:
            break
        smaller = _without_each(kept, groups)
        passing, left = yield from weighed(inquiry, grid, smaller)
        losses = [min(max(slack - each, -MOST), MOST) for each in left]
        first = int(np.argmax(passing)) if passing.any() else None
        for row, (tiles, loss) in enumerate(zip(groups, losses, strict=True)):
            if len(tiles) == 1:
                belief.single_was_asked(loss)
            if row == first:
                continue
            if len(tiles) == 1:
                belief.one_is_lost(int(tiles[0]), loss)
                needed[tiles] = True
            else:
                belief.group_is_lost(tiles, loss)
                most = max(1.0, SHRINK * len(tiles))
        if first is not None:
            kept, slack, needed = smaller[first], left[first], grid.nothing()
            tiles = groups[first]
            belief.are_gone(tiles, np.full(len(tiles), losses[first] / len(tiles)))
            most = min(max(most, GROW * len(groups[first])), kept.sum() / 2)
            remember(inquiry, grid, kept)
    return Sufficient(kept, slack)


def _next_groups(belief: Belief, free: Tiles, slack: float, most: int) -> tuple[list[Tiles], float]:
    """What to ask about next, and how many tiles the first question is expected to win.

    One group, or the single tile that is most likely to pass; with it those next to it, where none is likely to: what
    they say is then seldom of a set that has changed.
    """
    alone = belief.chances(free, slack)
    best = int(np.argmax(alone))
    wins = float(alone[best])
    if most > 1 and len(free) > 1:
        order = belief.in_order(free)[:most]
        expected = belief.chances_of_groups(order, slack) * np.arange(1, len(order) + 1)
        size = int(np.argmax(expected[1:])) + 2
        if expected[size - 1] > wins:
            return [order[:size]], float(expected[size - 1])
    likely = np.argsort(-alone, kind="stable")[:AT_ONCE]
    count = max(1, int(np.searchsorted(np.cumsum(alone[likely]), AHEAD, side="right")))
    return [free[i : i + 1] for i in likely[:count]], wins


def _without_each(kept: Kept, groups: list[Tiles]) -> NDArray[np.bool_]:
    """(n, t) bool: row i is the set less group i."""
    smaller = np.repeat(kept[None], len(groups), axis=0)
    for row, tiles in zip(smaller, groups, strict=True):
        row[tiles] = False
    return smaller
