"""What is asked of a set besides: other floors, and whether it survives a dilation."""

import numpy as np
import pytest
from fakes import FakeClassifier, Scored, at_least, blank, blob, quick
from scipy.ndimage import binary_dilation

from mps_study import SearchConfig, extract_mps
from mps_study.mps.extras import dilated

SHAPE = (24, 28)
WEIGHTS = np.random.default_rng(8).random(SHAPE) / 40


def score(mask):
    return 6 * (WEIGHTS * mask).sum() / WEIGHTS.sum() - 2


def search(classifier, **config):
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, SearchConfig(**config))
    return record


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
def test_each_floor_gets_the_set_of_a_search_at_that_floor(strategy):
    record = search(Scored(score), strategy=strategy, floors=[0.5, 0.9], **quick(strategy, 3))
    assert [at.share for at in record.floors] == [0.5, 0.9]
    for at in record.floors:
        alone = search(Scored(score), strategy=strategy, minimum_confidence_threshold=at.share, **quick(strategy, 3))
        assert np.array_equal(at.mps.mask, alone.mask)
        assert at.mps.confidence == alone.confidence
        assert at.floor == pytest.approx(record.target.confidence * at.share, abs=1e-4)
        assert at.mps.confidence >= at.floor - 1e-4
    assert record.pixels <= record.floors[0].mps.pixels <= record.floors[1].mps.pixels


def test_floors_leave_the_main_set_and_its_calls_as_they_are():
    plain = search(Scored(score), iterations=3)
    more = search(Scored(score), iterations=3, floors=[0.5, 0.9])
    assert np.array_equal(plain.mask, more.mask)
    assert plain.calls == more.calls
    assert plain.evaluations < more.evaluations


def test_a_floor_costs_only_what_was_not_asked_before():
    classifier = Scored(score)
    more = search(classifier, iterations=3, floors=[0.9])
    plain = search(Scored(score), iterations=3)
    scan = (more.floors[0].mps.pixels - plain.pixels) // 10
    assert more.evaluations - plain.evaluations <= scan + 8 + 1  # one question is asked ahead; the set alone


def test_dilation_is_scipys():
    mask = np.random.default_rng(2).random((9, 11)) < 0.2
    assert np.array_equal(dilated(mask), binary_dilation(mask))


def test_a_monotone_model_survives_dilation_and_a_fickle_one_may_not():
    known = blob(SHAPE, 10, 10, 4)
    assert search(FakeClassifier(at_least(known, 16)), iterations=2).dilation_survives is True

    def few(mask):
        return int(mask.all() or ((mask & known).sum() >= 16 and mask.sum() < 400 and mask.sum() % 10 == 0))

    record = search(FakeClassifier(few), strategy="rex", ranking="centre")
    assert record.dilation_survives is bool(few(dilated(record.mask)))


def test_contrastive_has_no_floors():
    with pytest.raises(ValueError, match=r"search\.floors is \[0\.5\]; the strategy contrastive has no floor"):
        SearchConfig(strategy="contrastive", floors=[0.5])
    with pytest.raises(ValueError, match=r"search\.floors is 0\.5"):
        SearchConfig(floors=0.5)
    with pytest.raises(ValueError, match=r"search\.floors is 1\.5"):
        SearchConfig(floors=[1.5])


@pytest.mark.parametrize("floors", [[0.5, 0.5], [0.0], [0.2, 0.9]])
def test_a_floor_that_is_not_above_what_is_demanded_anyway_is_refused(floors):
    with pytest.raises(ValueError, match=r"search\.floors is .*; use each share once, all above .* 0\.2"):
        SearchConfig(floors=floors, minimum_confidence_threshold=0.2)


def test_an_absolute_floor_holds_for_every_strategy():
    for strategy in ("rex", "minimal"):
        record = search(Scored(score), strategy=strategy, confidence_floor=0.9, **quick(strategy, 3))
        assert record.confidence >= 0.9
        assert search(Scored(score), strategy=strategy, **quick(strategy, 3)).confidence < 0.9
