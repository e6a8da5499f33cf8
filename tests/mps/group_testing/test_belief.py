"""What is believed of tiles follows what was answered."""

import numpy as np
import pytest

from mps_study.mps.group_testing.belief import Belief
from mps_study.mps.minimal.tiles import grid

TILES = grid((24, 24), 4)
SOME = np.array([3, 8, 14, 20])


def test_a_group_that_lost_more_than_was_believed_makes_each_of_its_tiles_dearer_and_surer():
    belief = Belief(TILES, 0.5)
    mean, variance = belief.mean.copy(), belief.variance.copy()
    belief.group_is_lost(SOME, 2.0)
    others = np.setdiff1d(np.arange(TILES.tiles), SOME)
    assert (belief.mean[SOME] > mean[SOME]).all() and (belief.variance[SOME] < variance[SOME]).all()
    assert np.array_equal(belief.mean[others], mean[others])
    assert mean[SOME].sum() < belief.mean[SOME].sum() < 2.0


def test_of_a_group_the_tiles_that_are_least_known_take_most_of_the_blame():
    belief = Belief(TILES, 0.5)
    belief.one_is_lost(3, 0.125)
    belief.group_is_lost(SOME, 2.0)
    assert belief.mean[3] < belief.mean[8] == belief.mean[20]


def test_chances_fall_with_what_a_tile_costs_and_with_the_size_of_a_group_and_rise_with_slack():
    belief = Belief(TILES, 0.5)
    belief.one_is_lost(8, 1.0)
    belief.one_is_lost(14, -1.0)
    poor, middling, good = belief.chances(np.array([8, 20, 14]), 0.25)
    assert poor < middling < good
    assert belief.in_order(np.array([8, 14, 20])).tolist() == [14, 20, 8]
    groups = belief.chances_of_groups(np.array([20, 21, 22, 23]), 0.25)
    assert (np.diff(groups) < 0).all() and groups[0] == pytest.approx(belief.chances(np.array([20]), 0.25)[0], abs=0.02)
    assert (belief.chances_of_groups(np.array([20, 21, 22, 23]), 2.0) > groups).all()


def test_chances_are_those_of_the_normal_distribution_to_a_hundredth():
    belief = Belief(TILES, 1.0)
    belief.mean[:], belief.variance[:] = 0.0, 1.0
    slack = np.array([-3.0, -1.0, 0.0, 0.5, 1.0, 2.0])
    exact = [0.00135, 0.15866, 0.5, 0.69146, 0.84134, 0.97725]
    assert [belief.chances(SOME[:1], each)[0] for each in slack] == pytest.approx(exact, abs=0.01)


def test_what_is_known_ages_as_tiles_go_and_fastest_beside_them():
    belief = Belief(TILES, 0.5)
    for tile in (0, 7, 35):
        belief.one_is_lost(tile, 0.3)
    belief.are_gone(np.array([0]), np.array([0.25]))
    assert belief.gains == {0: 0.25}
    assert belief.variance[7] > belief.variance[35] > 0.0025


def test_finer_tiles_inherit_less_than_their_share():
    belief = Belief(TILES, 0.5)
    belief.one_is_lost(0, 0.8)
    finer = grid((24, 24), 2)
    refined = belief.refined(finer)
    own = finer.refine(np.arange(TILES.tiles) == 0, TILES)
    assert own.sum() == 4 and 0 < refined[own].sum() < 0.8
