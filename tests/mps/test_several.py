"""Several sets of one image: each sufficient by itself, apart from each other, found again by the same seed."""

import numpy as np
import pytest
from fakes import FakeClassifier, blank, blob, quick
from hypothesis import given, settings
from hypothesis import strategies as st

from mps_study import SearchConfig, extract_mps
from mps_study.mps.several import _forbidden, dice

SHAPE = (32, 32)
PLACES = [blob(SHAPE, 4, 4, 4), blob(SHAPE, 4, 24, 4), blob(SHAPE, 20, 12, 8)]


def any_of(places, t=16):
    return lambda mask: int(any((mask & place).sum() >= t for place in places))


def search(rule, **config):
    (record,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(rule), SearchConfig(**config))
    return [record, *record.further]


@pytest.mark.parametrize(("strategy", "granularity"), [("minimal", 4), ("minimal", 2), ("rex", 4)])
def test_forbidding_finds_every_place_once_and_then_stops(strategy, granularity):
    own = {"granularity": granularity} if strategy == "minimal" else {"chunk_size": 4}
    sets = search(any_of(PLACES), strategy=strategy, several=9, **own)
    # The third place holds 64 pixels, of which any 16 suffice: it is found up to four times.
    assert 3 <= len(sets) <= 6
    assert any_of(PLACES)(~np.any([one.mask for one in sets], axis=0)) == 0
    for i, one in enumerate(sets):
        assert any_of(PLACES)(one.mask) == 1
        for other in sets[:i]:
            assert not (one.mask & other.mask).any()
    if strategy == "minimal":  # a prefix may hold some pixels of a place that it does not need
        for place in PLACES:
            assert any((one.mask & place).sum() >= 16 for one in sets)


def test_minimal_sets_of_one_image_all_have_their_certificate():
    sets = search(any_of(PLACES[:2]), strategy="minimal", several=3)
    assert len(sets) == 2
    for one in sets:
        assert one.certificate is not None and one.certificate.deletions == one.mask.sum() // 16
        tiles = [(r, c) for r in range(0, 32, 4) for c in range(0, 32, 4) if one.mask[r, c]]
        for r, c in tiles:
            without = one.mask.copy()
            without[r : r + 4, c : c + 4] = False
            assert any_of(PLACES[:2])(without) == 0


@given(overlap=st.floats(0, 1), seed=st.integers(0, 5), strategy=st.sampled_from(["rex", "minimal"]))
@settings(max_examples=25, deadline=None)
def test_no_two_sets_overlap_more_than_is_allowed(overlap, seed, strategy):
    needed = np.random.default_rng(seed).random(SHAPE) < 0.2
    rule = lambda mask: int((mask & needed).sum() >= 0.25 * needed.sum())  # noqa: E731
    sets = search(rule, strategy=strategy, several=4, overlap=overlap, seed=seed, **quick(strategy))
    assert len(sets) > 1
    for i, one in enumerate(sets):
        assert rule(one.mask) == 1
        assert all(dice(one.mask, other.mask) <= overlap for other in sets[:i])


def test_half_the_overlap_of_a_set_is_free_again_to_the_pixel():
    """A set of 4 tiles of 16 pixels: half of it may be kept again, so that two sets of 64 share at most 32."""
    one = blob(SHAPE, 4, 4, 8)
    for overlap, free in ((0.0, 0), (0.49, 0), (0.5, 16), (0.99, 16), (1.0, 32)):
        forbidden = _forbidden(one, overlap, 4, np.random.default_rng(0))
        assert (one & ~forbidden).sum() == free and not (forbidden & ~one).any()


def test_an_allowed_overlap_finds_more_sets():
    needed = np.random.default_rng(3).random(SHAPE) < 0.3
    rule = lambda mask: int((mask & needed).sum() >= 0.4 * needed.sum())  # noqa: E731
    apart = search(rule, strategy="minimal", several=6, granularity=2)
    overlapping = search(rule, strategy="minimal", several=6, granularity=2, overlap=0.8)
    assert len(overlapping) > len(apart)


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
def test_spotlights_find_apart_sets_that_pass(strategy):
    own = {"iterations": 4, "chunk_size": 4} if strategy == "rex" else {}
    config = {"strategy": strategy, "several": 20, "several_by": "spotlights", **own}
    sets = search(any_of(PLACES), **config)
    assert len(sets) > 1
    for i, one in enumerate(sets):
        assert any_of(PLACES)(one.mask) == 1
        assert all(dice(one.mask, other.mask) == 0 for other in sets[:i])
        if strategy != "rex":
            assert one.certificate.deletions == one.mask.sum() // 16
    again = search(any_of(PLACES), **config)
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(sets, again, strict=True))


def test_a_spent_budget_loses_no_set_that_was_found():
    whole = search(any_of(PLACES), strategy="minimal", several=3)
    (record,) = extract_mps(
        [("image", blank(SHAPE))],
        FakeClassifier(any_of(PLACES)),
        SearchConfig("minimal", several=3, budget=80),
    )
    assert len(whole) == 3
    assert record.evaluations <= 80 and "budget" in record.reason
    assert np.array_equal(record.mask, whole[0].mask)
    assert [mps.pixels for mps in record.further] == [mps.pixels for mps in whole[1 : 1 + len(record.further)]]


def test_sets_at_other_floors_change_no_further_set():
    alone = search(any_of(PLACES), strategy="minimal", several=3)
    beside = search(any_of(PLACES), strategy="minimal", several=3, floors=[0.9])
    assert len(alone) == len(beside) == 3
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(alone, beside, strict=True))


@pytest.mark.parametrize("strategy", ["contrastive", "complete"])
def test_strategies_that_find_one_set_refuse_to_look_for_several(strategy):
    with pytest.raises(ValueError, match=rf"search\.several is 2; the strategy {strategy} finds one set"):
        SearchConfig(strategy, several=2)


@pytest.mark.parametrize("several_by", ["forbidding", "spotlights"])
@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
def test_where_the_baseline_has_the_class_nobody_looks_for_more_sets(strategy, several_by):
    sets = search(lambda mask: 1, strategy=strategy, several=4, several_by=several_by, **quick(strategy, 1))
    assert len(sets) == 1


def test_dice_of_empty_sets_is_one():
    nothing = np.zeros(SHAPE, dtype=bool)
    assert dice(nothing, nothing) == 1
    assert dice(PLACES[0], PLACES[0]) == 1
