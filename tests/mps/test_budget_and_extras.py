"""A budget goes to the set first; what it no longer pays for is said."""

import json

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.search import extract_mps
from mps_study.mps.types import BUDGET, FOUND, Reply

SHAPE = (24, 28)
RULE = at_least(blob(SHAPE, 6, 9, 7), 30)


def search(rule=RULE, **config):
    classifier = FakeClassifier(rule)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, SearchConfig(**config))
    assert record.evaluations <= classifier.rows  # what is asked again near a floor is not counted
    assert record.evaluations <= config.get("budget", np.inf)
    return record


def just_enough(**config):
    """The least budget with which the set is found, from one that is too small on."""
    return next(budget for budget in range(20, 1000) if search(**config, budget=budget).status != BUDGET)


PLAIN = {"iterations": 2}
EXTRAS = {"curve_steps": 20, "floors": [0.7, 0.9], "several": 2}


def test_at_every_budget_the_set_is_as_small_as_without_anything_beside_it():
    whole = search(**PLAIN, **EXTRAS)
    seen = set()
    for budget in range(1, whole.evaluations + 60, 7):
        plain, more = search(**PLAIN, budget=budget), search(**PLAIN, **EXTRAS, budget=budget)
        assert more.status == plain.status
        assert np.array_equal(more.mask, plain.mask)
        seen.add(more.status)
        if more.status != FOUND:
            assert more.curves is None and not more.floors and not more.further
        elif not more.reason:
            assert more.curves.insertion.tolist() == whole.curves.insertion.tolist()
            assert [at.mps.pixels for at in more.floors] == [at.mps.pixels for at in whole.floors]
            seen.add("everything")
        else:
            said = more.reason.removeprefix("the budget of evaluations was spent before: ")
            assert said != more.reason
            for name, there in (
                ("a dilation of the set", more.dilation_survives is not None),
                ("the set at floor 0.7", more.floors[0].asked),
                ("the set at floor 0.9", more.floors[1].asked),
                ("curves", more.curves is not None),
            ):
                assert (name in said) == (not there)
                seen.add(f"without {name}") if not there else None
    assert {BUDGET, FOUND, "everything", "without curves", "without the set at floor 0.9"} <= seen


@pytest.mark.parametrize("strategy", ["contrastive", "complete"])
def test_a_budget_that_ends_the_scan_of_a_contrastive_set_leaves_the_first_sufficient_one(strategy):
    """Alone the class needs 30 pixels of a square; without the set it must change, for which 40 are needed."""
    known = blob(SHAPE, 6, 9, 7)

    def rule(mask):
        return int((mask & known).sum() >= 10)

    config = {"strategy": strategy, "iterations": 2, "contrastive_threshold": 0.0}
    whole = search(rule, **config)
    areas = []
    for budget in range(1, whole.evaluations + 3):
        record = search(rule, **config, budget=budget)
        assert rule(record.mask) == 1
        areas.append(record.pixels)
    assert whole.status == record.status == FOUND
    assert np.array_equal(record.mask, whole.mask)
    sufficient = [pixels for pixels in areas if pixels < whole.pixels]
    assert sufficient and areas[0] == np.prod(SHAPE)


def test_a_floor_that_the_budget_did_not_reach_is_told_from_one_that_no_set_reached():
    nowhere = search(**PLAIN, floors=[1.0], rule=lambda mask: int(mask.all()) or RULE(mask))
    assert [at.asked for at in nowhere.floors] == [True]
    record = search(**PLAIN, floors=[0.9, 0.99], budget=just_enough(**PLAIN) + 2)
    assert record.status == FOUND and record.dilation_survives is not None
    assert [(at.share, at.mps, at.asked) for at in record.floors] == [(0.9, None, False), (0.99, None, False)]


def test_a_reason_that_a_status_has_stays_beside_what_the_budget_left_out():
    everywhere = {"rule": lambda _: 1, "iterations": 2}  # the baseline gives the class
    whole = search(**everywhere)
    record = search(**everywhere, curve_steps=20, budget=just_enough(**everywhere) + 4)
    assert record.status == "baseline" and record.curves is None
    assert record.reason == f"{whole.reason}; the budget of evaluations was spent before: curves"


def test_what_was_evaluated_alone_is_never_asked_again():
    """The whole image, asked anew for its class, costs nothing where a set turns out to be all of it."""
    inquiry = Inquiry(SearchConfig(), SHAPE, "image")
    whole = Masks(SHAPE, masks=np.ones((1, *SHAPE), dtype=bool))
    said = Reply(np.array([1]), np.array([0.75], dtype=np.float32))
    first = inquiry.ask_anew(whole)
    assert next(first).alone
    with pytest.raises(StopIteration):
        first.send(said)
    for ask in (inquiry.ask, inquiry.ask_alone):
        with pytest.raises(StopIteration) as answered:
            next(ask(whole))
        assert answered.value.value.confidences.tolist() == [0.75]
    assert inquiry.evaluations == 1


@pytest.mark.parametrize("search", [{}, {"curve_steps": 5}, {"strategy": "contrastive"}, {"strategy": "minimal"}])
def test_searches_whose_budget_once_was_left_unspent_are_others_now_and_only_these(search):
    identity = SearchConfig(**search, budget=50).identity()
    assert identity["budget"] == {"evaluations": 50, "spent": "to its end"}
    json.dumps(identity)
    assert "budget" not in SearchConfig(**search).identity()
