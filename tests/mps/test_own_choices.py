"""A strategy or a ranking of one's own is a class and a row: all else follows from its fields."""

from dataclasses import dataclass

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.common.fields import number, whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.rex.ranking import Landscape, Ranker
from mps_study.mps.rex.rankings import RANKINGS
from mps_study.mps.strategies import STRATEGIES
from mps_study.mps.strategy import Strategy
from mps_study.mps.types import FOUND, Found, Mps, Search

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 0, 0, 6)


@dataclass(frozen=True)
class Corner(Strategy):
    """The smallest corner of the image that passes, of some sizes up to a share of its side."""

    most: float = number(0.5, 0.0, 1.0)
    sizes: int = whole(6, least=1)

    def find(self, inquiry: Inquiry) -> Search[Found]:
        masks = np.zeros((self.sizes, *inquiry.shape), dtype=bool)
        for i, size in enumerate(np.linspace(0, self.most * min(inquiry.shape), self.sizes + 1)[1:].astype(int)):
            masks[i, :size, :size] = True
        asked = Masks(inquiry.shape, label=inquiry.target.label, masks=masks)
        passing = inquiry.passes((yield from inquiry.ask(asked)))
        if not passing.any():
            return Found(None)
        best = asked.take(np.flatnonzero(passing)[:1])
        alone = yield from inquiry.ask_alone(best)
        return Found(Mps(best.mask(0), float(alone.confidences[0])) if inquiry.passes(alone)[0] else None)


@dataclass(frozen=True)
class Rows(Ranker):
    """From the top down, in steps."""

    step: int = whole(1, least=1)

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        yield from ()
        rows = -(np.arange(inquiry.shape[0]) // self.step).astype(np.float32)
        return np.repeat(rows[:, None], inquiry.shape[1], axis=1)


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    """The row of each."""
    monkeypatch.setitem(STRATEGIES, "corner", Corner)
    monkeypatch.setitem(RANKINGS, "rows", Rows)


def search(config):
    (record,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(at_least(KNOWN, 36)), config)
    return record


def test_an_own_strategy_is_chosen_by_name_with_its_parameters_and_searches():
    record = search(SearchConfig("corner", sizes=12))
    assert record.status == FOUND and np.array_equal(record.mask, KNOWN)
    assert SearchConfig("corner", sizes=12).identity() == {"strategy": {"kind": "corner", "sizes": 12}}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sizes": 0}, r"search\.sizes is 0; use a whole number, 1 or more"),
        ({"most": 2}, r"search\.most is 2; use a number from 0.0 to 1.0"),
        ({"siezs": 2}, r"did you mean 'search\.sizes'"),
        ({"iterations": 2}, r"not read by the strategy corner \(it reads most, sizes\); .* rex, contrastive, complete"),
        ({"floors": [0.5]}, "the strategy corner has no floor"),
    ],
)
def test_what_is_wrong_with_it_is_answered_like_everything_else(given, says):
    with pytest.raises(ValueError, match=says):
        SearchConfig("corner", **given)
    with pytest.raises(ValueError, match="or choose corner"):
        SearchConfig(sizes=2)


def test_an_own_ranking_is_chosen_by_name_with_its_parameters_and_ranks():
    record = search(SearchConfig(ranking="rows", step=2, chunk_size=28, keep_landscape=True))
    assert record.pixels == 6 * 28 and np.array_equal(record.landscape[:2], np.zeros((2, 28)))
    assert SearchConfig({"kind": "contrastive", "ranking": {"kind": "rows", "step": 2}}).strategy.ranking == Rows(2)
