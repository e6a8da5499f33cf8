"""A real model gives the same records at any batch size, with any number of workers, in any order, after a crash."""

from dataclasses import replace

import numpy as np
import pytest

from mps_study import OnnxClassifier, SearchConfig, extract_mps
from reference.photos import pixels

CONFIG = SearchConfig(iterations=1, chunk_size=100)
PHOTOS = ("chelsea", "coffee", "rocket")


def searched(path, batch_size, workers, in_flight, photos):
    """Records by photo."""
    classifier = OnnxClassifier(path, "cpu", batch_size, workers)
    given = pixels()
    return {r.key: r for r in extract_mps([(key, given[key]) for key in photos], classifier, CONFIG, in_flight)}


@pytest.fixture(scope="module")
def alone(lite0_path):
    """One mutant at a time."""
    return searched(lite0_path, 1, 1, 1, PHOTOS)


@pytest.mark.parametrize(("batch_size", "workers", "in_flight"), [(64, 1, 3), (7, 4, 2), (16, 3, 1)])
def test_records_do_not_depend_on_batches_workers_and_order(lite0_path, alone, batch_size, workers, in_flight):
    found = searched(lite0_path, batch_size, workers, in_flight, PHOTOS[::-1])
    assert_same(found, alone)


def test_records_do_not_depend_on_a_crash_before_them(lite0_path, alone):
    given = pixels()
    classifier = OnnxClassifier(lite0_path, "cpu", 16, 2)
    search = extract_mps([(key, given[key]) for key in PHOTOS], classifier, CONFIG, 3)
    first = next(iter(search))
    search.close()
    rest = searched(lite0_path, 16, 2, 2, [key for key in PHOTOS if key != first.key])
    assert_same({first.key: first, **rest}, alone)


def test_nor_do_those_of_a_class_that_is_not_on_top(lite0_path):
    given = pixels()
    logits = OnnxClassifier(lite0_path, "cpu", 1, 1).logits(np.stack([given[key] for key in PHOTOS]))
    seconds = {key: int(row.argsort()[-2]) for key, row in zip(PHOTOS, logits, strict=True)}
    config = SearchConfig(iterations=1, chunk_size=100, minimum_confidence_threshold=0.7)
    found = [
        {
            record.key: record
            for record in extract_mps(
                [(key, given[key]) for key in PHOTOS],
                OnnxClassifier(lite0_path, "cpu", batch_size, 1),
                config,
                targets=seconds,
            )
        }
        for batch_size in (1, 16)
    ]
    assert_same(*found)
    for key, record in found[0].items():
        assert (record.target.label, record.top) == (seconds[key], int(logits[PHOTOS.index(key)].argmax()))
        assert record.confidence >= 0.7 * record.target.confidence * (1 - 1e-6)


def assert_same(found, expected):
    """Equal to the bit."""
    assert found.keys() == expected.keys()
    for key, record in found.items():
        assert np.array_equal(record.mask, expected[key].mask), key
        assert repr(replace(record, mask=None)) == repr(replace(expected[key], mask=None))
