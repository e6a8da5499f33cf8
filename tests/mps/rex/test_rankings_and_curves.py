"""Any order of pixels becomes a sufficient set; insertion and deletion curves say how good the order is."""

import numpy as np
import pytest
from fakes import FakeClassifier, Scored, at_least, blank, blob

from mps_study import SearchConfig, extract_mps

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 3, 5, 6)


def search(classifier, maps=None, key="image", **config):
    (record,) = extract_mps([(key, blank(SHAPE))], classifier, SearchConfig(**config), maps=maps)
    return record


def test_a_given_map_of_the_known_set_finds_exactly_it():
    record = search(FakeClassifier(at_least(KNOWN, 36)), {"image": KNOWN * 1.0}, ranking="given", chunk_size=1)
    assert np.array_equal(record.mask, KNOWN)
    assert record.calls == 36


def test_centre_keeps_the_middle_first():
    record = search(FakeClassifier(at_least(blob(SHAPE, 11, 13, 2), 4)), ranking="centre", chunk_size=1)
    assert np.array_equal(record.mask, blob(SHAPE, 11, 13, 2))


def test_random_depends_on_seed_and_image_alone():
    rule = at_least(KNOWN, 3)
    first = search(FakeClassifier(rule), ranking="random")
    assert np.array_equal(first.mask, search(FakeClassifier(rule, batch_size=3), ranking="random").mask)
    assert not np.array_equal(first.mask, search(FakeClassifier(rule), ranking="random", seed=1).mask)
    assert not np.array_equal(first.mask, search(FakeClassifier(rule), ranking="random", key="other").mask)


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (None, "no map was given; pass `maps`"),
        ({"other": KNOWN}, "no map was given"),
        ({"image": KNOWN[:3]}, r"the given map has shape \(3, 28\), the image \(24, 28\)"),
        ({"image": np.full(SHAPE, np.nan)}, "must be finite"),
    ],
)
def test_a_map_that_is_missing_or_does_not_fit_is_named(maps, says):
    with pytest.raises(ValueError, match=f"image 'image': .*{says}"):
        search(FakeClassifier(at_least(KNOWN, 3)), maps, ranking="given")


def test_curves_are_the_confidences_of_prefixes_and_of_their_complements():
    score = np.random.default_rng(0).normal(size=SHAPE) / 20

    def confidence(mask):
        return 1 / (1 + np.exp(-(0.3 + (score * mask).sum())))

    order_map = score.astype(np.float32)
    record = search(
        Scored(lambda mask: 0.3 + (score * mask).sum()),
        {"image": order_map},
        ranking="given",
        curve_steps=7,
    )
    order = np.argsort(order_map.ravel(), kind="stable")[::-1]
    counts = np.rint(np.linspace(0, score.size, 8)).astype(int)
    for i, count in enumerate(counts):
        kept = np.zeros(score.size, dtype=bool)
        kept[order[:count]] = True
        kept = kept.reshape(SHAPE)
        assert record.curves.insertion[i] == pytest.approx(confidence(kept), abs=1e-6)
        assert record.curves.deletion[i] == pytest.approx(confidence(~kept), abs=1e-6)
    assert record.curves.shares[0] == 0 and record.curves.shares[-1] == 1
    # A map of the score itself inserts what helps first: no other order has a larger area.
    worst = search(
        Scored(lambda mask: 0.3 + (score * mask).sum()), {"image": -order_map}, ranking="given", curve_steps=7
    )
    assert record.curves.insertion_area > worst.curves.insertion_area
    assert record.curves.deletion_area < worst.curves.deletion_area


def test_a_constant_confidence_has_an_area_of_itself():
    record = search(Scored(lambda mask: 1.0), ranking="centre", curve_steps=10)
    assert record.curves.insertion_area == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-6)
    assert record.curves.deletion_area == pytest.approx(record.curves.insertion_area, abs=1e-6)


def test_no_picture_of_a_curve_is_evaluated_again_by_the_scan():
    classifier = FakeClassifier(at_least(KNOWN, 36))
    record = search(classifier, ranking="centre", curve_steps=24, chunk_size=28)
    scan = record.calls
    assert classifier.rows == record.evaluations
    # Whole image, baseline, two curves whose ends coincide with these, the set and its dilation alone; the scan's
    # prefixes are all points of the insertion curve.
    assert record.evaluations <= 2 + 2 * 25 + 2
    assert scan > 1


def test_curves_are_drawn_once_whatever_else_is_asked():
    rule = at_least(KNOWN, 12)
    config = {"ranking": "centre", "chunk_size": 4, "several": 2}
    plain, drawn = (FakeClassifier(rule), FakeClassifier(rule))
    search(plain, **config)
    record = search(drawn, curve_steps=24, **config)
    assert record.curves is not None
    assert drawn.rows - plain.rows <= 2 * 25


def test_a_strategy_without_a_ranking_refuses_curves():
    with pytest.raises(ValueError, match=r"search\.curve_steps is not read by the strategy minimal"):
        SearchConfig(strategy="minimal", curve_steps=10)
