"""Deletes tiles of a sufficient set by group tests, until each that is left was asked about alone and is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.evidence import EVIDENCE_STEPS
from mps_study.mps.group_testing.belief import MOST, Belief, Tiles
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Cells, Grid, Kept
from mps_study.mps.types import Search

SHRINK, GROW = 0.6, 2.0
"""By what the most tiles of a group change when a group fails or passes."""

FIRST_SHARE = 1 / 8
"""Of the tiles, the most in the first group."""


@dataclass
class Sufficient:
    """A set of tiles (t,) bool that passes, and its slack in nats."""

    kept: Kept
    slack: float


def weighed(inquiry: Inquiry, grid: Grid, kept: NDArray[np.bool_]) -> Search[tuple[NDArray[np.bool_], list[float]]]:
    """Of n sets (n, t) bool: (n,) which pass, and the slack of each in nats."""
    inquiry.calls += len(kept)
    reply = yield from inquiry.ask(Cells(grid.shape, label=inquiry.target.label, grid=grid, kept=kept))
    return inquiry.passes(reply), (inquiry.slack(reply) / EVIDENCE_STEPS).tolist()


def delete(inquiry: Inquiry, belief: Belief, found: Sufficient, least: float) -> Search[Sufficient]:
    """What is left of a set; without `least` it can spare no tile, and the last questions were its certificate.

    The next question is the group that is expected to win most tiles: their number times the chance that the set
    passes without them. How large it may be doubles when one passes and shrinks when one fails. A single tile whose
    deletion failed is not asked about again until the set has changed. Where the best question is expected to win
    fewer tiles than `least` it ends.
    """
    grid, kept, slack = belief.grid, found.kept, found.slack
    needed = grid.nothing()
    most = max(1.0, kept.sum() * FIRST_SHARE)
    while True:
        free = np.flatnonzero(kept & ~needed)
        if not free.size:
            break
        tiles, wins = _best_group(belief, free, slack, int(min(most, kept.sum() - 1)))
        if wins < least:
            break
        smaller = kept.copy()
        smaller[tiles] = False
        passing, left = yield from weighed(inquiry, grid, smaller[None])
        loss = float(np.clip(slack - left[0], -MOST, MOST))
        if len(tiles) == 1:
            belief.single_was_asked(loss)
        if passing[0]:
            kept, slack, needed = smaller, left[0], grid.nothing()
            belief.are_gone(tiles)
            most = min(max(most, GROW * len(tiles)), kept.sum() / 2)
        elif len(tiles) == 1:
            belief.one_is_lost(int(tiles[0]), loss)
            needed[tiles] = True
        else:
            belief.group_is_lost(tiles, loss)
            most = max(1.0, SHRINK * len(tiles))
    return Sufficient(kept, slack)


def _best_group(belief: Belief, free: Tiles, slack: float, most: int) -> tuple[Tiles, float]:
    """The tiles to delete next, and how many are expected to be won."""
    alone = belief.chances(free, slack)
    best = int(np.argmax(alone))
    tiles, wins = free[best : best + 1], float(alone[best])
    if most > 1:
        order = belief.in_order(free)[:most]
        expected = belief.chances_of_groups(order, slack) * np.arange(1, len(order) + 1)
        size = int(np.argmax(expected[1:])) + 2 if len(order) > 1 else 1
        if size > 1 and expected[size - 1] > wins:
            tiles, wins = order[:size], float(expected[size - 1])
    return tiles, wins
