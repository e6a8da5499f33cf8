"""Swaps: a tile that was deleted comes back, and several go for it. So a set that can spare no tile becomes smaller."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mps_study.mps.group_testing.belief import Belief, Tiles
from mps_study.mps.group_testing.deletion import Sufficient, delete, weighed
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import remember
from mps_study.mps.minimal.tiles import Kept
from mps_study.mps.types import Search

ROUNDS = 3
"""Times, at most, that a set is swapped and then shown again to spare no tile."""

TRIES, AT_ONCE = 20, 4
"""Swaps of a round that may fail, and swaps in one question."""

LEAST = 0.15
"""Tiles that a swap must be expected to win."""


class Swap(NamedTuple):
    """A tile that comes back, and those that go."""

    back: int
    gone: Tiles


def swapped(inquiry: Inquiry, belief: Belief, found: Sufficient) -> Search[Sufficient]:
    """A smaller set that can spare no tile either, or the same one.

    `belief` is that with which the set was found: it knows what each of its tiles costs, since all were just asked
    about, and what those cost that went before. Each swap is tried once.
    """
    for _ in range(ROUNDS):
        kept, slack, failures = found.kept, found.slack, 0
        while failures < TRIES and (swaps := promising(belief, kept, slack)):
            others = np.repeat(kept[None], len(swaps), axis=0)
            for row, swap in zip(others, swaps, strict=True):
                row[swap.gone], row[swap.back] = False, True
            passing, left = yield from weighed(inquiry, belief.grid, others)
            failures += int((~passing).sum())
            gains = {swap.back: belief.gains.pop(swap.back) for swap in swaps}
            if passing.any():
                first = int(np.argmax(passing))
                back, gone = swaps[first]
                kept, slack = others[first], left[first]
                belief.are_gone(gone, belief.mean[gone])
                belief.is_back(back, gains[back])
                remember(inquiry, belief.grid, kept)
        if kept is found.kept:
            break
        found = yield from delete(inquiry, belief, Sufficient(kept, slack), 0.0)
    return found


def promising(belief: Belief, kept: Kept, slack: float) -> list[Swap]:
    """The swaps to try next: the tiles that would bring back most, and for each the group that it is worth most for."""
    order = belief.in_order(np.flatnonzero(kept))[:-1]
    if len(order) < 2:
        return []
    back = sorted((tile for tile, gain in belief.gains.items() if gain > 0 and not kept[tile]))
    back.sort(key=lambda tile: -belief.gains[tile])
    swaps = []
    for tile in back[:AT_ONCE]:
        chances = belief.chances_of_groups(order, slack, belief.gains[tile])
        wins = np.arange(len(order)) * chances
        size = int(np.argmax(wins)) + 1
        if wins[size - 1] >= LEAST:
            swaps.append(Swap(tile, order[:size]))
    return swaps
