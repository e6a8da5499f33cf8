"""Which swaps are tried: those whose tile brings most, for the group that it is worth most for."""

import numpy as np

from mps_study.mps.group_testing.belief import Belief
from mps_study.mps.group_testing.swaps import AT_ONCE, promising
from mps_study.mps.minimal.tiles import grid

TILES = grid((24, 24), 4)


def known(costs, gains):
    """A belief of a set whose tiles cost so much, and of tiles beside it that would bring so much."""
    kept = TILES.nothing()
    kept[list(costs)] = True
    belief = Belief(TILES, 0.5)
    for tile, cost in costs.items():
        belief.one_is_lost(tile, cost)
    belief.gains.update(gains)
    return belief, kept


def test_a_tile_that_brings_more_than_two_cost_comes_back_for_both():
    belief, kept = known({0: 0.9, 1: 0.25, 2: 0.25, 3: 0.9}, {20: 0.75})
    (swap,) = promising(belief, kept, 0.0)
    assert swap.back == 20 and sorted(swap.gone.tolist()) == [1, 2]


def test_nothing_is_swapped_for_a_tile_that_brings_less_than_two_cost_or_nothing_or_is_kept():
    assert promising(*known({0: 0.9, 1: 0.9, 2: 0.9}, {20: 0.1}), 0.0) == []
    assert promising(*known({0: 0.2, 1: 0.2, 2: 0.2}, {20: -0.5, 21: 0.0, 1: 2.0}), 0.0) == []
    assert promising(*known({0: 0.2, 1: 0.2}, {20: 2.0}), 0.0) == []  # the last tile of a set never goes with others
    assert promising(*known({0: 0.2, 1: 0.2, 2: 0.2}, {}), 0.0) == []


def test_the_tiles_that_bring_most_are_tried_first_a_few_at_once():
    gains = {tile: 0.5 + 0.01 * tile for tile in range(10, 30)}
    swaps = promising(*known(dict.fromkeys(range(8), 0.2), gains), 0.0)
    assert [swap.back for swap in swaps] == [29, 28, 27, 26] and len(swaps) == AT_ONCE
    assert all(len(np.unique(swap.gone)) == len(swap.gone) >= 2 for swap in swaps)
