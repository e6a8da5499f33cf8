"""The strategy `minimal` against classifiers whose smallest sufficient set is known."""

import numpy as np
import pytest
from fakes import FakeClassifier, Scored, Telling, at_least, blank, blob, quick
from hypothesis import given, settings
from hypothesis import strategies as st

from mps_study.mps.config import SearchConfig
from mps_study.mps.minimal.tiles import grid, sizes_of_tiles
from mps_study.mps.search import extract_mps
from mps_study.mps.types import BASELINE, BELOW, FOUND, Certificate, Reply

SHAPE = (24, 28)


def minimal(classifier, shape=SHAPE, keys=("image",), in_flight=8, **config):
    return list(
        extract_mps([(k, blank(shape)) for k in keys], classifier, SearchConfig("minimal", **config), in_flight)
    )


def spared(rule, mask, granularity):
    """Tiles of a mask whose deletion keeps class 1, from the definition."""
    rows, columns = mask.shape
    free = []
    for top in range(0, rows, granularity):
        for left in range(0, columns, granularity):
            tile = (slice(top, top + granularity), slice(left, left + granularity))
            if mask[tile].any():
                fewer = mask.copy()
                fewer[tile] = False
                if rule(fewer) == 1:
                    free.append((top, left))
    return free


@pytest.mark.parametrize("t", [1, 5, 17])
@pytest.mark.parametrize("telling", [False, True])
def test_at_one_pixel_the_set_is_exactly_the_known_minimum(t, telling):
    known = blob(SHAPE, 6, 9, 5)
    rule = at_least(known, t)
    fake = Telling(rule, score=lambda m: float((m & known).sum() - t)) if telling else FakeClassifier(rule)
    (record,) = minimal(fake, granularity=1)
    assert record.status == FOUND
    assert record.pixels == (record.mask & known).sum() == t
    assert record.certificate == Certificate(1, 0.0, t)


def test_at_four_pixels_no_tile_can_be_spared():
    rule = at_least(blob(SHAPE, 6, 9, 5), 20)
    (record,) = minimal(FakeClassifier(rule))
    assert rule(record.mask) == 1
    assert spared(rule, record.mask, 4) == []
    tiles = grid(SHAPE, 4)
    assert np.array_equal(tiles.mask(tiles.touched(record.mask)), record.mask)
    assert record.certificate.deletions == tiles.touched(record.mask).sum()


def test_of_two_objects_that_each_suffice_only_one_is_kept():
    left, right = blob(SHAPE, 2, 2, 4), blob(SHAPE, 16, 20, 6)
    (record,) = minimal(FakeClassifier(lambda m: int(m[left].all() or m[right].all())), granularity=1)
    assert record.pixels in (16, 36)
    assert record.mask[left].all() != record.mask[right].all()


def test_two_objects_that_are_both_needed_are_both_kept():
    left, right = blob(SHAPE, 2, 2, 4), blob(SHAPE, 16, 20, 3)
    (record,) = minimal(FakeClassifier(lambda m: int(m[left].all() and m[right].all())), granularity=1)
    assert np.array_equal(record.mask, left | right)


def test_when_every_pixel_is_needed_the_whole_image_is_the_set():
    (record,) = minimal(FakeClassifier(lambda m: int(m.all())))
    assert record.status == FOUND
    assert record.mask.all()
    assert record.certificate.deletions == 6 * 7


def test_when_the_baseline_gives_the_class_the_set_is_empty():
    (record,) = minimal(FakeClassifier(lambda m: 1))
    assert (record.status, record.pixels, record.area) == (BASELINE, 0, 0.0)
    assert record.certificate == Certificate(4, 0.0, 0)
    assert record.confidence == pytest.approx(0.5)


def test_passing_need_not_be_monotone():
    """A distractor turns the class away unless the object is whole; both alone and together are tried."""
    known, distractor = blob(SHAPE, 4, 4, 6), blob(SHAPE, 12, 12, 8)

    def rule(mask):
        seen = (mask & known).sum()
        return int(seen == 36 or (seen >= 10 and not (mask & distractor).any()))

    (record,) = minimal(FakeClassifier(rule), granularity=1)
    assert rule(record.mask) == 1
    assert spared(rule, record.mask, 1) == []
    assert record.pixels == 10


@pytest.mark.parametrize("share", [0.7, 0.9])
def test_the_set_reaches_the_demanded_share_of_the_confidence(share):
    known = blob(SHAPE, 6, 8, 8)

    def score(mask):
        return 0.1 * float((mask & known).sum()) - 2

    (record,) = minimal(Scored(score), minimum_confidence_threshold=share, granularity=1)
    whole = 1 / (1 + np.exp(-score(np.ones(SHAPE, dtype=bool))))
    assert record.certificate.floor == round(whole * share, 4)
    assert record.confidence >= round(whole * share, 4)
    (without_a_floor,) = minimal(Scored(score), granularity=1)
    assert record.pixels > without_a_floor.pixels


@pytest.mark.parametrize("strategy", ["rex", "minimal"])
def test_an_absolute_floor_holds_for_every_strategy(strategy):
    known = blob(SHAPE, 6, 8, 8)
    fake = Scored(lambda m: 0.1 * float((m & known).sum()) - 2)
    config = SearchConfig(strategy, confidence_floor=0.9, **quick(strategy))
    (record,) = extract_mps([("image", blank(SHAPE))], fake, config)
    assert record.status == FOUND
    assert record.confidence >= 0.9
    (record,) = extract_mps([("image", blank(SHAPE))], fake, SearchConfig(strategy, confidence_floor=1.0))
    assert (record.status, record.mask) == (BELOW, None)


def test_batch_size_workers_order_and_company_change_nothing():
    known = blob(SHAPE, 3, 4, 7)
    rule = at_least(known, 30)
    keys = [f"image {i}" for i in range(5)]

    def fake(*sizes):
        return Telling(rule, *sizes, score=lambda m: float((m & known).sum()) / 3 - 10)

    (reference,) = minimal(fake(1), granularity=2)
    for batch_size, workers, in_flight in ((2, 1, 3), (7, 2, 8), (64, 4, 2)):
        for record in minimal(fake(batch_size, workers), keys=keys, in_flight=in_flight, granularity=2):
            assert np.array_equal(record.mask, reference.mask)
            facts = ("status", "confidence", "calls", "evaluations", "certificate", "target")
            assert all(getattr(record, name) == getattr(reference, name) for name in facts)


def test_log_odds_that_differ_in_their_last_bits_between_batches_change_nothing():
    known = blob(SHAPE, 3, 4, 9)

    class Rounding(Scored):
        def classify(self, batch):
            reply = super().classify(batch)
            n = len(reply.labels)
            noise = 1e-4 * np.sin(np.arange(n) + 10 * n) * (n > 1)
            return Reply(reply.labels, reply.confidences, np.ones(n, np.float32), (reply.log_odds + noise).astype("f4"))

    weights = np.random.default_rng(0).normal(0.3, 1, SHAPE) * known
    masks = []
    for batch_size in (1, 2, 3, 5, 8, 16, 64):
        (record,) = minimal(Rounding(lambda m: float((weights * m).sum()) - 3, batch_size), granularity=1)
        masks.append(record.mask)
    assert all(np.array_equal(mask, masks[0]) for mask in masks)


def test_evaluations_are_what_the_classifier_was_asked():
    classifier = FakeClassifier(at_least(blob(SHAPE, 3, 4, 7), 30))
    (record,) = minimal(classifier)
    assert record.evaluations == classifier.rows
    assert record.calls + 3 >= record.evaluations


@pytest.mark.parametrize(
    ("shape", "granularity", "sizes"),
    [
        ((224, 224), 4, [(32, 12), (16, 4), (8, 4), (4, 0)]),
        ((224, 224), 1, [(32, 12), (16, 4), (8, 4), (4, 0), (2, 0), (1, 0)]),
        ((384, 384), 4, [(32, 12), (16, 4), (8, 0), (4, 0)]),
        ((224, 224), 32, [(32, 0)]),
        ((10, 13), 4, [(4, 0)]),
    ],
)
def test_tiles_halve_from_a_seventh_of_the_side_down_to_the_granularity(shape, granularity, sizes):
    assert sizes_of_tiles(shape, granularity) == sizes


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), granularity=st.integers(1, 6), height=st.integers(5, 30), width=st.integers(5, 30))
def test_on_random_classifiers_the_set_passes_and_can_spare_no_tile(seed, granularity, height, width):
    random = np.random.default_rng(seed)
    weights, pairs = random.normal(0, 1, (height, width)), random.normal(0, 0.5, (height, width))
    bias = random.normal(0, 5)

    def score(mask):
        return float((weights * mask).sum() + (pairs[:-1] * (mask[1:] & ~mask[:-1])).sum() + bias)

    (record,) = minimal(Scored(score), (height, width), granularity=granularity)
    label = record.target.label
    assert label == int(score(np.ones((height, width), dtype=bool)) > 0)

    def rule(mask):
        return int((int(score(mask) > 0)) == label)

    assert rule(record.mask) == 1
    if record.status == BASELINE:
        assert record.pixels == 0
    else:
        assert spared(rule, record.mask, granularity) == []
