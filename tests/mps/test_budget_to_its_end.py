"""A budget is used to its end, never exceeded, and leaves the smallest set that passed; so says the anytime curve."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import Telling, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.config import STRATEGIES
from mps_study.mps.types import BUDGET, FOUND

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 6, 9, 7)
RULE = at_least(KNOWN, 30)

SEARCHES = {
    "rex": {"iterations": 2},
    "random": {"strategy": "rex", "ranking": "random", "chunk_size": 2},
    "centre": {"strategy": "rex", "ranking": "centre", "chunk_size": 2},
    "contrastive": {"iterations": 2, "contrastive_threshold": 0.0},
    "complete": {"iterations": 2, "contrastive_threshold": 0.0},
    "minimal": {"granularity": 2},
    "group_testing": {"granularity": 2},
    "sag": {"patches": 4, "successors": 8, "threshold": 0.0},
    "ddmin": {"granularity": 2},
    "backward": {"granularity": 4, "at_once": 2},
}
PRUNED = {f"{name}, pruned": SEARCHES[name] | {"prune": True, "prune_granularity": 2} for name in SEARCHES
          if name not in ("contrastive", "complete")}  # fmt: skip
ALL = {name: {"strategy": name.split(",")[0]} | search for name, search in (SEARCHES | PRUNED).items()}
ALL["random, pruned"]["strategy"] = ALL["centre, pruned"]["strategy"] = "rex"
BUDGETS = (10, 13, 29, 50, 75, 101, 150, 222, 400, 1000, 5000)


class Watched(Telling):
    """Remembers which masks passed alone in a batch of one."""

    def classify(self, batch):
        reply = super().classify(batch)
        if len(reply.labels) == 1 and batch[0].mutants.alone:
            self.__dict__.setdefault("alone", {})[batch[0].mutants.mask(batch[0].start).tobytes()] = reply.labels[0]
        return reply


def search(name, **config):
    classifier = Watched(RULE, score=lambda mask: (mask & KNOWN).sum() / 10 - 2.95)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, SearchConfig(**ALL[name] | config))
    assert classifier.rows == record.evaluations + (record.anytime.checks if record.anytime else 0)
    assert classifier.alone[record.mask.tobytes()] == record.target.label == RULE(record.mask)
    return record


def test_every_strategy_is_tried():
    assert {search["strategy"] for search in ALL.values()} == set(STRATEGIES)


@pytest.mark.parametrize("name", ALL)
def test_a_budget_is_spent_or_the_search_finishes(name):
    unlimited = search(name)
    assert unlimited.status == FOUND
    seen = set()
    for budget in BUDGETS:
        record = search(name, budget=budget)
        seen.add(record.status)
        assert record.evaluations <= budget
        if record.status == BUDGET:
            assert record.evaluations >= 0.9 * budget
            assert budget < 2 * unlimited.evaluations
        else:
            assert np.array_equal(record.mask, unlimited.mask)
    assert seen == {BUDGET, FOUND}


@pytest.mark.parametrize("name", ["random", "centre", "rex"])
def test_a_ranking_has_a_set_long_before_its_scan_could_end(name):
    """Known to pass is a prefix of some length after a few evaluations, and the shortest one in the end."""
    assert search(name, budget=40).pixels < 0.7 * KNOWN.size


@pytest.mark.parametrize(
    "name", [name for name in ALL if ALL[name]["strategy"] not in ("rex", "contrastive", "complete")]
)
def test_the_curve_tells_what_each_budget_would_have_left(name):
    """One evaluation is kept back for the set. Those that ask nothing else under a budget must agree to the pixel."""
    whole = search(name, anytime=True)
    for budget in (10, 29, 50, 75, 101, 222, 400, 1000):
        record = search(name, budget=budget)
        if record.status == BUDGET:
            assert record.area == whole.area_after(budget - 1)


@pytest.mark.parametrize("name", ALL)
def test_a_record_with_its_curve_is_otherwise_the_same(name):
    for more in ({}, {"budget": 60}):
        plain, told = search(name, **more), search(name, anytime=True, **more)
        for each in (plain, replace(told, anytime=None)):
            assert each.anytime is None and np.isnan(each.area_after(10**6))
        assert np.array_equal(plain.mask, told.mask)
        assert (plain.status, plain.calls, plain.evaluations) == (told.status, told.calls, told.evaluations)
        steps = np.array(told.anytime.steps)
        assert steps[0].tolist() == [1, KNOWN.size]
        assert (np.diff(steps[:, 0]) >= 0).all() and (np.diff(steps[:, 1]) < 0).all()
        assert told.area_after(1) == 1 and np.isnan(told.area_after(0))
        assert told.area_after(told.evaluations) <= told.area
        assert told.anytime.checks >= len(steps) - 2


def test_a_set_that_passes_only_in_company_is_no_step_of_the_curve():
    class Fickle(Watched):
        def classify(self, batch):
            reply = super().classify(batch)
            if batch[0].mutants.alone and 0 < batch[0].mutants.mask(batch[0].start).sum() < 200:
                reply.labels[:] = 0
            return reply

    classifier = Fickle(RULE, score=lambda mask: (mask & KNOWN).sum() / 10 - 2.95)
    config = SearchConfig(**ALL["ddmin"], anytime=True)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    assert record.mask is None and record.anytime is None
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, SearchConfig(**ALL["ddmin"], anytime=True, budget=9))
    assert {pixels for _, pixels in record.anytime.steps} <= set(range(200, KNOWN.size + 1))


@pytest.mark.parametrize("name", ["rex", "sag", "ddmin, pruned"])
@pytest.mark.parametrize(("batch_size", "workers", "in_flight"), [(1, 1, 1), (7, 1, 3), (64, 3, 8)])
def test_curve_and_spent_budget_do_not_depend_on_batch_workers_or_company(name, batch_size, workers, in_flight):
    def records(batch_size=16, workers=1, in_flight=2, order=1, budget=None):
        classifier = Telling(RULE, batch_size, workers, score=lambda mask: (mask & KNOWN).sum() / 10 - 2.95)
        images = [(key, blank(SHAPE)) for key in "abcd"][::order]
        config = SearchConfig(**ALL[name], anytime=True, budget=budget)
        return {record.key: record for record in extract_mps(images, classifier, config, in_flight)}

    for budget in (None, 90):
        one, other = records(budget=budget), records(batch_size, workers, in_flight, -1, budget)
        for key, record in one.items():
            assert np.array_equal(record.mask, other[key].mask)
            assert (record.anytime, record.evaluations) == (other[key].anytime, other[key].evaluations)
