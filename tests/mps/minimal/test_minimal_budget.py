"""A budget of evaluations is never exceeded, and what it leaves is always a set that passed alone."""

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import BUDGET, FOUND

SHAPE = (24, 28)
RULE = at_least(blob(SHAPE, 6, 9, 7), 30)


class Watched(FakeClassifier):
    """Remembers which masks passed alone in a batch of one."""

    def classify(self, batch):
        reply = super().classify(batch)
        if len(reply.labels) == 1 and batch[0].mutants.alone:
            self.__dict__.setdefault("alone", {})[batch[0].mutants.mask(batch[0].start).tobytes()] = reply.labels[0]
        return reply


def search(strategy, budget, rule=RULE):
    classifier = Watched(rule)
    config = SearchConfig(
        strategy, budget=budget, **({"granularity": 2} if strategy == "minimal" else {"iterations": 2})
    )
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    return record, classifier


@pytest.mark.parametrize("strategy", ["minimal", "rex"])
def test_at_every_budget_the_set_is_verified_and_the_budget_kept(strategy):
    unlimited, _ = search(strategy, None)
    assert unlimited.status == FOUND
    areas, ahead = [], {"minimal": 0, "rex": 12}[strategy]  # longer prefixes, which are asked first under a budget
    for budget in range(1, unlimited.evaluations + 3 + ahead):
        record, classifier = search(strategy, budget)
        assert classifier.rows == record.evaluations <= budget
        assert classifier.alone[record.mask.tobytes()] == record.target.label
        assert record.status == BUDGET if budget < unlimited.evaluations - 1 else True  # the dilation comes last
        assert record.status == FOUND if budget >= unlimited.evaluations - 1 + ahead else True
        areas += [record.pixels] if record.status == BUDGET else []
    assert areas[0] == 24 * 28
    assert record.status == FOUND
    assert np.array_equal(record.mask, unlimited.mask)
    assert areas == sorted(areas, reverse=True)


def test_a_set_that_passes_only_in_company_is_not_returned():
    class Fickle(FakeClassifier):
        def classify(self, batch):
            reply = super().classify(batch)
            if len(reply.labels) == 1:
                reply.labels[0] = int(batch[0].mutants.mask(batch[0].start).all())
            return reply

    for budget in (10, 40, 80):
        config = SearchConfig("minimal", granularity=2, budget=budget)
        (record,) = extract_mps([("image", blank(SHAPE))], Fickle(RULE), config)
        assert record.status == BUDGET
        assert record.mask.all()


def test_a_budget_must_be_a_whole_number_of_at_least_one():
    with pytest.raises(ValueError, match=r"search\.budget is 0"):
        SearchConfig(budget=0)
