"""What is asked of known sets, with classifiers whose answers are known."""

from math import comb

import numpy as np
import pytest
from fakes import Scored

from mps_study.mps.mutants import Picture
from mps_study.probing.asking import Answer, ask_about, probe_sets
from mps_study.probing.known import Colours, KnownSet
from mps_study.probing.subsets import ALL, SHARES, TREE, Subsets

BLACK = np.zeros((1, 1, 1), np.float32)


def known(mask, key="a", tile=4, seed=0):
    picture = Picture(np.zeros((1, *mask.shape), np.float32), BLACK)
    return KnownSet(key, picture, mask, 1, tile, Colours(BLACK, BLACK + 1), seed)


def row_of(tiles, side=4):
    """A set of so many tiles in a row, and room for dilation and shifts."""
    mask = np.zeros((3 * side, (tiles + 2) * side), bool)
    mask[side : 2 * side, side : (tiles + 1) * side] = True
    return mask


def share(mask, one):
    """Of the set's pixels that a mask keeps."""
    return (mask & one).sum() / one.sum()


def additive(one):
    """Confidence that is the share of the set that is kept."""
    return lambda mask: float(np.log(max(share(mask, one), 1e-6) / max(1 - share(mask, one), 1e-6)))


def threshold(one):
    """Sure of the class with the whole set, sure of another without any of it."""
    return lambda mask: 8.0 if share(mask, one) == 1 else -8.0


def test_conditions_that_keep_the_set_pass_and_those_that_break_it_fail():
    mask = row_of(5)
    (probed,) = probe_sets([known(mask)], Scored(threshold(mask)), ["mean", "dilation_2", "shift_1", "tiles_lost"], 3)
    said = {(each.condition, each.repetition): each.answer.label for each in probed.probes}
    assert said == {
        ("mean", 0): 1, ("dilation_2", 0): 1, **{("shift_1", i): 0 for i in range(4)},
        **{("tiles_lost", i): 0 for i in range(3)},
    }  # fmt: skip
    assert probed.evaluations == 9 and probed.subsets is None


def test_confidence_is_that_of_the_kept_class_whatever_is_on_top():
    mask = row_of(4)
    (probed,) = probe_sets([known(mask)], Scored(additive(mask)), ["tiles_lost"], 1)
    ((answer,),) = ([each.answer for each in probed.probes],)
    assert answer.label == 1 and answer.confidence == pytest.approx(0.75, abs=1e-6)
    less = row_of(4) & (np.arange(24) < 8)  # one tile of four
    assert list(ask_about([(known(mask).picture, [less, mask], 1)], Scored(additive(mask)))) == [
        (Answer(0, pytest.approx(0.25, abs=1e-5)), Answer(1, pytest.approx(1, abs=1e-5)))
    ]


@pytest.mark.parametrize(("batch", "workers", "in_flight"), [(1, 1, 1), (16, 1, 8), (64, 3, 32)])
def test_answers_come_in_order_and_do_not_depend_on_company(batch, workers, in_flight):
    masks = [row_of(n) for n in (1, 5, 2, 7)]
    classifier = Scored(lambda mask: float(mask.sum() - 60) / 20, batch, workers)
    sets = [known(mask, str(i)) for i, mask in enumerate(masks)]
    found = list(probe_sets(sets, classifier, ["noise", "tiles_lost", "jpeg"], 4, Subsets(4, 30, 2), in_flight))
    alone = [next(probe_sets([one], Scored(classifier.score, 1), ["noise", "tiles_lost", "jpeg"], 4, Subsets(4, 30, 2)))
             for one in sets]  # fmt: skip
    assert found == alone
    assert [each.missing for each in found[0].probes] == ["", "the set has one tile", ""]
    assert found[0].subsets.missing == "the set has one tile"


def test_an_additive_set_is_compositional_and_a_threshold_set_is_not():
    mask = row_of(10)
    (additive_one,) = (each.subsets for each in probe_sets([known(mask)], Scored(additive(mask)), [], 1, Subsets()))
    (broken,) = (each.subsets for each in probe_sets([known(mask)], Scored(threshold(mask)), [], 1, Subsets()))
    assert additive_one.way == broken.way == ALL and additive_one.evaluations == 2**10
    at_least = [sum(comb(10, k) for k in range(n, 10)) for n in (8, 7, 6, 5)]  # tiles that are kept, the set left out
    assert list(additive_one.counts) == at_least and additive_one.area == pytest.approx(0.5, abs=1e-5)
    assert broken.counts == (0, 0, 0, 0) and broken.area < 0.06  # a line from the whole set to one tile less
    assert additive_one.curve == pytest.approx([1 - each for each in SHARES], abs=1e-5)


def test_the_tree_counts_what_all_subsets_would_and_says_where_it_stopped():
    mask = row_of(8)

    def of(how):
        return next(probe_sets([known(mask)], Scored(additive(mask)), [], 1, how)).subsets

    every, tree, stopped = of(Subsets(8)), of(Subsets(2, 10_000, 20)), of(Subsets(2, 12, 1))
    assert (tree.way, tree.whole, tree.counts) == (TREE, True, every.counts)
    assert tree.area == pytest.approx(every.area, abs=1e-5)  # of an additive set every order has the same curve
    assert not stopped.whole and all(0 < a <= b for a, b in zip(stopped.counts, every.counts, strict=True))
    assert stopped.evaluations <= 1 + 12 + len(SHARES)


def test_a_set_without_confidence_says_so():
    mask = row_of(3)
    (found,) = probe_sets([known(mask)], Scored(lambda kept: -np.inf), [], 1, Subsets())
    assert found.subsets.missing == "the set has no confidence"
