"""What comes after the records holds a few of them at a time: a study's maps together do not fit into memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from mps_study.common.searches import OWN
from mps_study.datasets.records.store import MpsRecords, RecordShard
from mps_study.mps.types import FOUND, MpsRecord, Target
from mps_study.pipelines.metrics.nodes import compute_overlaps
from mps_study.pipelines.reporting.results import Pictures

IMAGES = [f"{i:03d}" for i in range(40)]
MODELS = ("m", "n")
SIDE = 160
STORED = len(IMAGES) * len(MODELS) * SIDE * SIDE * 4
"""Bytes of all maps, as float32."""
AREAS = pd.DataFrame(
    [(image, model, "A", OWN, "f", "labelled", 1, True, FOUND) for model in MODELS for image in IMAGES],
    columns=["image", "model", "architecture", "search", "fingerprint", "half", "target", "correct", "status"],
)
MANIFEST = pd.DataFrame({"image": IMAGES, "file": "", "width": 300, "height": 300})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two models, their records in one large shard each, with maps that no compression makes small."""
    dataset = MpsRecords(str(tmp_path_factory.mktemp("records")))
    for model in MODELS:
        random = np.random.default_rng(len(model))
        records = [
            MpsRecord(image, FOUND, "", Target(1, 0.9), heights > 0.8, 0.5, 1, 1, heights)
            for image in IMAGES
            for heights in [random.random((SIDE, SIDE), dtype=np.float32)]
        ]
        views = dict.fromkeys(IMAGES, (0.0, 0.0, 300.0, 300.0))
        dataset.save(RecordShard(model, "f", {}, 0, records, views, complete=True))
    return dataset.load()


def peak(work):
    """Most bytes that Python held at once during the work, beyond those before it."""
    work()  # what is imported or remembered once is not counted
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_overlaps_are_measured_without_any_map(store):
    assert peak(lambda: compute_overlaps(AREAS, MANIFEST, store)) < STORED / 4


@pytest.mark.parametrize("what", ["mask", "landscape", "several", "sighting", "view"])
def test_pictures_of_a_report_are_fetched_a_few_at_a_time(store, what):
    def walk():
        pictures = Pictures(MANIFEST, AREAS, {}, {}, store)
        return sum(getattr(pictures, what)(image, model) is not None for image in IMAGES for model in MODELS)

    assert walk() == len(IMAGES) * len(MODELS)
    assert peak(walk) < STORED / 3
