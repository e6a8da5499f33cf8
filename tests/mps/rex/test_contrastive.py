"""Contrastive and complete explanations: from the definition, on classifiers whose answer is known."""

import numpy as np
from fakes import FakeClassifier, Scored, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.types import BASELINE, FOUND, UNSTABLE

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 6, 8, 6)
RISING = np.arange(24 * 28, dtype=np.float32).reshape(SHAPE)[::-1, ::-1]


def search(classifier, strategy, **config):
    config = SearchConfig(strategy=strategy, ranking="given", **config)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config, maps={"image": RISING})
    return record


def prefix(count):
    mask = np.zeros(24 * 28, dtype=bool)
    mask[:count] = True
    return mask.reshape(SHAPE)


def test_removal_of_a_contrastive_set_changes_the_class_and_no_shorter_prefix_does_both():
    rule = at_least(KNOWN, 9)
    record = search(FakeClassifier(rule), "contrastive", contrastive_threshold=0.5, chunk_size=3)
    assert record.status == FOUND and record.contrast == 0
    both = [n for n in range(3, 24 * 28 + 3, 3) if rule(prefix(n)) == 1 and rule(~prefix(n)) == 0]
    assert np.array_equal(record.mask, prefix(both[0]))
    # Sufficiency alone needs 9 of the 36 pixels; necessity all but 8.
    sufficient = search(FakeClassifier(rule), "rex", chunk_size=3)
    assert (sufficient.mask & KNOWN).sum() < (record.mask & KNOWN).sum()
    assert record.calls == 2 * (record.pixels // 3)


def test_where_the_baseline_has_the_class_nothing_is_necessary():
    record = search(FakeClassifier(lambda mask: 1), "contrastive")
    assert record.status in (UNSTABLE, BASELINE) and record.mask is None


def test_a_complete_set_is_as_confident_as_the_whole_image():
    weights = np.linspace(3, -1.5, 24 * 28).reshape(SHAPE) / 100

    def score(mask):
        return float((weights * mask).sum()) - 2

    contrastive = search(Scored(score), "contrastive", chunk_size=4)
    complete = search(Scored(score), "complete", chunk_size=4)
    confidence = 1 / (1 + np.exp(-score(np.ones(SHAPE, dtype=bool))))
    assert contrastive.confidence >= round(confidence, 4)
    assert round(complete.confidence, 2) == round(confidence, 2)
    n = contrastive.pixels
    assert np.array_equal(contrastive.mask, prefix(n))
    # The class's own pixels first, then the least responsible from the end: the shortest such filling.
    for tail in range(4, 24 * 28 - n, 4):
        mask = prefix(n) | ~prefix(24 * 28 - tail)
        if round(1 / (1 + np.exp(-score(mask))), 2) == round(confidence, 2):
            assert np.array_equal(complete.mask, mask)
            break
    else:
        raise AssertionError("no filling was found by the definition")
