"""The whole search against classifiers whose answer is known."""

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob
from hypothesis import given, settings
from hypothesis import strategies as st

from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import BASELINE, FOUND, INVALID, Reply

SHAPE = (40, 48)
QUICK = SearchConfig(iterations=4)


def search(classifier, config=QUICK, keys=("image",), in_flight=8):
    """Records of blank images of SHAPE."""
    return list(extract_mps([(key, blank(SHAPE)) for key in keys], classifier, config, in_flight))


def same(a, b):
    """Whether two records agree to the bit."""
    return (
        (a.key, a.status, a.target, a.confidence, a.calls, a.evaluations)
        == (b.key, b.status, b.target, b.confidence, b.calls, b.evaluations)
        and np.array_equal(a.mask, b.mask)
        and np.array_equal(a.landscape, b.landscape)
    )


def test_the_set_contains_what_the_class_needs_and_passes_alone():
    known = blob(SHAPE, 10, 20, 6)
    (record,) = search(FakeClassifier(at_least(known, 36)))
    assert record.status == FOUND
    assert (record.mask & known).sum() == 36
    assert record.target.label == 1
    assert record.pixels == record.mask.sum()
    assert record.area == pytest.approx(record.pixels / (40 * 48))


def test_the_scan_stops_at_the_first_prefix_that_passes():
    known = blob(SHAPE, 5, 5, 8)
    (record,) = search(FakeClassifier(at_least(known, 20)))
    assert record.pixels % QUICK.strategy.chunk_size == 0
    order = np.argsort(_landscape(known, 20).ravel(), kind="stable")[::-1]
    shorter = np.zeros(40 * 48, dtype=bool)
    shorter[order[: record.pixels - QUICK.strategy.chunk_size]] = True
    assert (shorter.reshape(SHAPE) & known).sum() < 20


def _landscape(known, t):
    config = SearchConfig(iterations=4, keep_landscape=True)
    return search(FakeClassifier(at_least(known, t)), config)[0].landscape


def test_responsibility_is_highest_inside_the_known_set():
    known = blob(SHAPE, 22, 30, 8)
    landscape = _landscape(known, 64)
    assert landscape[known].mean() > 5 * landscape[~known].mean()
    assert landscape.max() == 1


@pytest.mark.parametrize("cuts", ["rex", "fraction"])
@pytest.mark.parametrize("style", ["area", "intersection", "all"])
def test_batch_size_workers_order_and_company_change_nothing(cuts, style):
    config = SearchConfig(iterations=3, cuts=cuts, queue_style=style, queue_len=2, tree_depth=3, keep_landscape=True)
    rules = at_least(blob(SHAPE, 3, 4, 7), 30)
    keys = [f"image {i}" for i in range(5)]
    reference = {r.key: r for r in search(FakeClassifier(rules, batch_size=1), config, keys, in_flight=1)}
    for batch_size, workers, in_flight in ((2, 1, 3), (7, 2, 8), (64, 4, 2)):
        records = search(FakeClassifier(rules, batch_size, workers), config, keys[::-1], in_flight)
        assert [r.key for r in records] == keys[::-1]
        assert all(same(r, reference[r.key]) for r in records)


def test_no_batch_is_larger_than_asked_for_and_most_are_full():
    classifier = FakeClassifier(at_least(blob(SHAPE, 3, 4, 7), 30), batch_size=8)
    search(classifier, keys=[f"image {i}" for i in range(12)])
    assert max(classifier.batches) == 8
    in_company = [size for size in classifier.batches if size > 1]
    assert sum(in_company) > 0.9 * 8 * len(in_company)


def test_evaluations_are_what_the_classifier_was_asked():
    classifier = FakeClassifier(at_least(blob(SHAPE, 3, 4, 7), 30))
    (record,) = search(classifier)
    assert record.evaluations == classifier.rows


def test_no_mutant_is_evaluated_twice():
    seen = set()
    rule = at_least(blob(SHAPE, 3, 4, 7), 30)

    def remembered(mask):
        seen.add(mask.tobytes())
        return rule(mask)

    classifier = FakeClassifier(remembered)
    (record,) = search(classifier)
    assert record.status == FOUND
    # Only the final check, alone, repeats a mutant.
    assert classifier.rows == len(seen) + 1
    assert record.calls > len(seen) - 3


def test_a_class_that_the_baseline_already_gives_is_recorded_as_such():
    (record,) = search(FakeClassifier(lambda mask: 7))
    assert record.status == BASELINE
    assert record.target.label == 7
    assert record.pixels == QUICK.strategy.chunk_size
    assert "baseline" in record.reason


def test_a_class_that_needs_every_pixel_takes_the_whole_image():
    (record,) = search(FakeClassifier(lambda mask: int(mask.all())))
    assert record.status == FOUND
    assert record.mask.all()


def test_an_output_that_is_not_finite_is_a_status_not_a_crash():
    (record,) = search(FakeClassifier(lambda mask: -1))
    assert record.status == INVALID
    assert record.mask is None and np.isnan(record.area) and record.pixels is None


def test_narrow_margins_are_settled_alone_whatever_the_batch_says():
    """In company, a mutant near the boundary is given the wrong class; alone, the right one."""
    rule = at_least(blob(SHAPE, 3, 4, 7), 30)

    class Rounding(FakeClassifier):
        def classify(self, batch):
            reply = super().classify(batch)
            near = np.array([abs((m & blob(SHAPE, 3, 4, 7)).sum() - 30) < 4 for m in _masks(batch)])
            wrong = near & (len(near) > 1)
            labels = np.where(wrong, 1 - reply.labels, reply.labels)
            return Reply(labels, reply.confidences, np.where(near, 1e-5, 1.0).astype(np.float32))

    config = SearchConfig(iterations=4, keep_landscape=True)
    (plain,) = search(FakeClassifier(rule), config)
    for batch_size in (1, 5, 64):
        (settled,) = search(Rounding(rule, batch_size), config)
        assert same(settled, plain)


def _masks(batch):
    return [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]


def test_a_confidence_floor_asks_for_more_pixels():
    known = blob(SHAPE, 5, 5, 8)
    areas = [
        search(
            FakeClassifier(at_least(known, 20)),
            SearchConfig(iterations=4, minimum_confidence_threshold=share),
        )[0].area
        for share in (0.0, 0.7, 0.9)
    ]
    assert areas[0] < areas[1] < areas[2]


def test_fraction_cuts_give_models_of_different_size_the_same_superpixels():
    def landscape(size):
        known = blob((size, size), size // 4, size // 4, size // 4)
        classifier = FakeClassifier(at_least(known, (size // 4) ** 2))
        config = SearchConfig(iterations=3, cuts="fraction", keep_landscape=True, tree_depth=2)
        images = [("image", blank((size, size)))]
        return next(iter(extract_mps(images, classifier, config))).landscape

    small, large = landscape(64), landscape(128)
    agree = np.isclose(small, large[::2, ::2], rtol=1e-3)
    assert agree.mean() > 0.9


def test_pixels_of_the_wrong_kind_are_refused_by_name():
    with pytest.raises(ValueError, match=r"'photo'.*float32.*float64"):
        list(extract_mps([("photo", np.zeros((3, 8, 8)))], FakeClassifier(lambda m: 0), QUICK))
    bad = blank((8, 8))
    bad[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        list(extract_mps([("photo", bad)], FakeClassifier(lambda m: 0), QUICK))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 24), width=st.integers(1, 24))
def test_on_any_classifier_the_recorded_set_passes(seed, height, width):
    weights = np.random.default_rng(seed).normal(size=(3, height, width))

    def rule(mask):
        return int((weights * mask).sum(axis=(1, 2)).argmax())

    config = SearchConfig(iterations=2, seed=seed % 1000)
    (record,) = extract_mps([("image", blank((height, width)))], FakeClassifier(rule), config)
    assert record.status in (FOUND, BASELINE)
    assert rule(record.mask) == record.target.label == rule(np.ones((height, width), bool))
