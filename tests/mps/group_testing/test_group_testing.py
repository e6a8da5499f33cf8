"""The strategy `group_testing` against classifiers whose minimal sets are known."""

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob
from hypothesis import given, settings
from hypothesis import strategies as st

from mps.group_testing.known import Logits, search, spared
from mps_study import SearchConfig
from mps_study.mps.minimal.tiles import grid
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.types import BASELINE, FOUND, Certificate

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 6, 9, 7)
SOME = np.random.default_rng(3).random(SHAPE) < 0.05


class Weighted:
    """A score to which every pixel adds or from which it takes something."""

    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def __call__(self, mask):
        return float((self.weights * mask).sum() + self.bias)


class Paired(Weighted):
    """One where it matters as well what is kept above and to the left."""

    def __init__(self, seed, shape, bias):
        random = np.random.default_rng(seed)
        super().__init__(random.normal(0.02, 0.2, shape), bias)
        self.pairs = random.normal(0, 0.2, shape)

    def __call__(self, mask):
        edges = (self.pairs[1:] * (mask[1:] & ~mask[:-1])).sum()
        edges += (self.pairs[:, 1:] * (mask[:, 1:] & ~mask[:, :-1])).sum()
        return super().__call__(mask) + float(edges)


def additive(seed, bias=-2.0):
    """One with random weights."""
    return Weighted(np.random.default_rng(seed).normal(0.05, 0.4, SHAPE), bias)


def holed(mask):
    """Passes with 36 pixels of the object, or with 10 where nothing of a distractor is kept: not monotone."""
    here, there = (mask & blob(SHAPE, 4, 4, 6)).sum(), (mask & blob(SHAPE, 12, 12, 8)).sum()
    return 1.0 if here == 36 or (here >= 10 and not there) else -1.0 - 0.01 * there


def every_other(mask):
    """Passes as long as an even number of the known pixels is kept, and some: what is far from monotone."""
    return 1.0 if (mask & KNOWN).any() and (mask & KNOWN).sum() % 2 == mask.all() else -1.0


SCORES = {
    "conjunction": lambda mask: 1.0 if (mask & SOME).sum() == SOME.sum() else -1.0,
    "threshold": lambda mask: float((mask & KNOWN).sum()) / 4 - 5,
    "k of n, all or nothing": lambda mask: 1.0 if (mask & SOME).sum() >= 11 else -1.0,
    "additive": additive(0),
    "paired": Paired(4, SHAPE, -4.0),
    "additive, nothing helps but all": lambda mask: float(mask.sum()) - mask.size + 0.5,
    "two objects, either": lambda mask: max(mask[2:6, 2:6].sum() - 15.5, mask[16:22, 20:26].sum() - 35.5),
    "two objects, both": lambda mask: min(mask[2:6, 2:6].sum() - 15.5, mask[16:20, 20:24].sum() - 15.5),
    "holed": holed,
    "every other": every_other,
}


@pytest.mark.parametrize("granularity", [1, 2, 4, 5])
@pytest.mark.parametrize("name", SCORES)
def test_the_set_passes_and_can_spare_no_tile(name, granularity):
    classifier = Logits(SCORES[name])
    (record,) = search(classifier, SHAPE, granularity=granularity)
    label = record.target.label

    def passes(mask):
        return int(SCORES[name](mask) > 0) == label

    assert record.status == FOUND and passes(record.mask)
    assert spared(passes, record.mask, granularity) == []
    tiles = grid(SHAPE, granularity)
    assert np.array_equal(tiles.mask(tiles.touched(record.mask)), record.mask)
    assert record.certificate == Certificate(granularity, 0.0, int(tiles.touched(record.mask).sum()))
    config = SearchConfig("group_testing", granularity=granularity)
    assert check_certificate(record, blank(SHAPE), Logits(SCORES[name]), config).holds


@pytest.mark.parametrize("name", SCORES)
def test_no_mutant_is_asked_about_twice(name):
    classifier = Logits(SCORES[name])
    (record,) = search(classifier, SHAPE, granularity=2)
    assert len(classifier.company) == len(set(classifier.company))
    assert record.evaluations >= len(classifier.company)


@pytest.mark.parametrize("t", [1, 5, 17])
def test_at_one_pixel_the_set_is_exactly_the_known_minimum(t):
    rule = at_least(KNOWN, t)
    for classifier in (FakeClassifier(rule), Logits(lambda mask: float((mask & KNOWN).sum() - t) + 0.5)):
        (record,) = search(classifier, SHAPE, granularity=1)
        assert record.pixels == (record.mask & KNOWN).sum() == t


def test_when_the_baseline_gives_the_class_the_set_is_empty():
    (record,) = search(Logits(lambda mask: 1.0), SHAPE)
    assert (record.status, record.pixels, record.certificate) == (BASELINE, 0, Certificate(4, 0.0, 0))


def test_when_every_tile_is_needed_the_whole_image_is_the_set():
    (record,) = search(Logits(lambda mask: mask.sum() - mask.size + 0.5), SHAPE)
    assert record.mask.all() and record.certificate.deletions == 6 * 7


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_set_reaches_the_demanded_share_of_the_confidence(share):
    score = additive(1, bias=1.0)
    config = {"minimum_confidence_threshold": share, "granularity": 2}
    (record,) = search(Logits(score), SHAPE, **config)
    floor = record.certificate.floor
    assert floor == round(record.target.confidence * share, 4) and round(record.confidence, 4) >= floor
    assert check_certificate(record, blank(SHAPE), Logits(score), SearchConfig("group_testing", **config)).holds


def test_floors_beside_the_set_are_certified_as_well():
    (record,) = search(Logits(additive(2)), SHAPE, granularity=2, floors=(0.5, 0.9))
    assert [at.share for at in record.floors] == [0.5, 0.9]
    for at in record.floors:
        assert at.mps.confidence >= at.floor and at.mps.certificate.deletions == at.mps.mask.sum() // 4
        assert at.mps.certificate.floor == at.floor


@pytest.mark.parametrize("strategy", ["forbidding", "spotlights"])
def test_further_sets_are_apart_and_certified(strategy):
    places = [blob((32, 32), 4, 4, 4), blob((32, 32), 4, 24, 4), blob((32, 32), 20, 12, 8)]

    def score(mask):
        return max(float((mask & place).sum()) for place in places) - 15.5

    (record,) = search(Logits(score), (32, 32), several=3, several_by=strategy)
    sets = [record, *record.further]
    assert len(sets) == 3 or (strategy == "spotlights" and len(sets) == 2)  # where an overlapping one was dropped
    for i, one in enumerate(sets):
        assert score(one.mask) > 0 and one.certificate.deletions == one.mask.sum() // 16
        assert spared(lambda mask: score(mask) > 0, one.mask, 4) == []
        assert not any((one.mask & other.mask).any() for other in sets[:i])


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_class_that_is_not_on_top_keeps_its_share(share):
    score = additive(4, bias=3.0)
    whole = np.ones(SHAPE, dtype=bool)
    assert score(whole) > 0
    config = {"minimum_confidence_threshold": share, "target": 0, "granularity": 2}
    (record,) = search(Logits(score), SHAPE, **config)
    assert (record.target.label, record.top) == (0, 1)
    assert record.mask is not None and record.confidence >= share * record.target.confidence * (1 - 1e-6)
    checked = check_certificate(record, blank(SHAPE), Logits(score), SearchConfig("group_testing", **config))
    assert record.status == BASELINE or (record.pixels > 0 and checked.holds)


def test_batch_size_workers_and_company_change_nothing_not_even_with_rounding():
    (reference,) = search(Logits(additive(5), 1), SHAPE, granularity=1)
    keys = [f"image {i}" for i in range(4)]
    for batch_size, workers, in_flight in ((1, 1, 1), (8, 1, 8), (64, 3, 3)):
        for noise in (0.0, 4e-4):
            classifier = Logits(additive(5), batch_size, workers, noise)
            for record in search(classifier, SHAPE, keys, in_flight, granularity=1):
                assert np.array_equal(record.mask, reference.mask)
                facts = ("status", "calls", "evaluations", "certificate", "confidence", "target")
                assert all(getattr(record, name) == getattr(reference, name) for name in facts)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), granularity=st.integers(1, 6), height=st.integers(5, 30), width=st.integers(5, 30))
def test_on_random_classifiers_the_set_passes_and_can_spare_no_tile(seed, granularity, height, width):
    random = np.random.default_rng(seed)
    weights, pairs = random.normal(0, 1, (height, width)), random.normal(0, 0.5, (height, width))
    bias = random.normal(0, 5)

    def score(mask):
        return float((weights * mask).sum() + (pairs[:-1] * (mask[1:] & ~mask[:-1])).sum() + bias)

    classifier = Logits(score)
    (record,) = search(classifier, (height, width), granularity=granularity)

    def passes(mask):
        return (score(mask) > 0) == (record.target.label == 1) and (record.target.label > 0 or score(mask) < 0)

    assert len(classifier.company) == len(set(classifier.company))
    assert passes(record.mask)
    assert record.pixels == 0 if record.status == BASELINE else spared(passes, record.mask, granularity) == []


def test_where_many_tiles_add_up_it_asks_less_than_minimal_for_sets_as_small():
    evaluations, tiles = {}, {}
    for strategy in ("minimal", "group_testing"):
        evaluations[strategy] = tiles[strategy] = 0
        for seed in range(4):
            worth = np.random.default_rng(seed).exponential(1, (56, 56))
            score = Weighted(20 * worth / worth.sum(), -5.0)
            (record,) = search(Logits(score), (56, 56), strategy=strategy, granularity=2)
            evaluations[strategy] += record.evaluations
            tiles[strategy] += record.certificate.deletions
    assert evaluations["group_testing"] < 0.9 * evaluations["minimal"]
    assert tiles["group_testing"] < 1.05 * tiles["minimal"]


def tiles_of(scores, shape, granularity):
    records = [search(Logits(score), shape, granularity=granularity)[0] for score in scores]
    return sum(record.certificate.deletions for record in records)


def test_swaps_make_sets_smaller_where_tiles_depend_on_each_other(monkeypatch):
    scores = [Paired(seed, (32, 32), -6.0) for seed in range(6)]
    with_swaps = tiles_of(scores, (32, 32), 2)
    monkeypatch.setattr("mps_study.mps.group_testing.swaps.TRIES", 0)
    assert with_swaps < 0.95 * tiles_of(scores, (32, 32), 2)


def test_a_second_way_makes_sets_smaller(monkeypatch):
    scores = [additive(seed) for seed in range(16)]
    with_both = tiles_of(scores, SHAPE, 1)
    monkeypatch.setattr("mps_study.mps.group_testing.group_testing.EASY", 0)
    assert with_both < tiles_of(scores, SHAPE, 1)
