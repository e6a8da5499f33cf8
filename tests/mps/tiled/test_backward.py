"""Backward selection on tiles: the order straight from the definition, and the shortest sufficient end of it."""

import numpy as np
import pytest
from fakes import FakeClassifier, Scored, blank

from mps_study import SearchConfig, extract_mps
from mps_study.mps.minimal.tiles import grid

SHAPE = (8, 10)
TILES = grid(SHAPE, 2)


def score_of(seed):
    """A score on masks, a multiple of 1/16 nat, with interactions between tiles."""
    random = np.random.default_rng(seed)
    worth = random.integers(-6, 12, TILES.tiles) / 16
    pairs = random.integers(-4, 6, (TILES.tiles, TILES.tiles)) / 16

    def score(mask):
        kept = TILES.touched(mask).astype(float)
        return kept @ worth + kept @ pairs @ kept - 1

    return score


def reference(score, at_once):
    """The set by the definition: remove what leaves the most, then add back from the end until it passes."""
    kept, removed = list(range(TILES.tiles)), []
    while kept:
        left = [score(TILES.mask(np.isin(np.arange(TILES.tiles), [t for t in kept if t != tile]))) for tile in kept]
        spared = sorted(range(len(kept)), key=lambda i: (-left[i], i))[:at_once] if len(kept) > 1 else [0]
        removed += [kept[i] for i in spared]
        kept = [tile for i, tile in enumerate(kept) if i not in spared]
    ends = ([*removed[-n:]] for n in range(1, len(removed) + 1))
    masks = (TILES.mask(np.isin(np.arange(TILES.tiles), end)) for end in ends)
    return next((mask for mask in masks if score(mask) > 0), None)


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_the_definition_says(seed, at_once):
    score = score_of(seed)
    assert score(np.ones(SHAPE, dtype=bool)) > 0
    config = SearchConfig("backward", granularity=2, at_once=at_once)
    (record,) = extract_mps([("image", blank(SHAPE))], Scored(score), config)
    assert np.array_equal(record.mask, reference(score, at_once))
    assert record.certificate is None


def test_evaluations_are_those_of_every_set_on_the_way():
    classifier = FakeClassifier(lambda mask: int(mask[2, 2]))
    config = SearchConfig("backward", granularity=2, at_once=1)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    n = TILES.tiles
    assert record.evaluations == classifier.rows
    assert n * (n + 1) / 2 <= record.evaluations <= n * (n + 1) / 2 + 12  # whole, baseline, the set alone, its dilation


def test_the_published_threshold_is_the_floor_of_the_search():
    def score(mask):
        return 3.0 if mask[0, 0] and mask[7, 9] else 1.0 if mask[0, 0] else -1.0

    (low,) = extract_mps([("i", blank(SHAPE))], Scored(score), SearchConfig("backward", granularity=2, at_once=1))
    config = SearchConfig("backward", granularity=2, at_once=1, confidence_floor=0.9)
    (high,) = extract_mps([("i", blank(SHAPE))], Scored(score), config)
    assert (low.pixels, high.pixels) == (4, 8) and high.confidence >= 0.9
