"""The speed of a search, as logs and MLflow show it."""

import io
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

from mps_study.mps.config import SearchConfig
from mps_study.mps.types import FOUND, MpsRecord, Target
from mps_study.pipelines import packing
from mps_study.pipelines.mps_extraction import extraction
from mps_study.project.parameters import Extraction

SECONDS = {"a": 4.0, "b": 4.0, "c": 0.0}
"""What each search takes: the last one's answers were there with those of the one before."""


def test_it_is_that_of_the_whole_search_and_saving_does_not_count(monkeypatch):
    clock = [0.0]

    def search(images, *_, **__):
        for image, _ in images:
            clock[0] += SECONDS[image]
            yield MpsRecord(image, FOUND, "", Target(1, 0.5), None, 0.5, calls=100, evaluations=100)

    png = io.BytesIO()
    Image.new("RGB", (4, 4)).save(png, "PNG")
    preprocessing = SimpleNamespace(view=lambda w, h: (0, 0, h, w), pixels=lambda image: None)
    card = SimpleNamespace(name="m", preprocessing=preprocessing)
    monkeypatch.setattr(packing, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(extraction, "extract_mps", search)
    classifier = SimpleNamespace(measured=None, device="cpu", rows=300)
    monkeypatch.setattr(extraction, "open_classifier", lambda card, *_: (classifier, card))
    shards = extraction.extract_model(
        card,
        None,
        {"file": png.getvalue()},
        pd.DataFrame({"image": list(SECONDS), "file": "file", "width": 4, "height": 4}),
        SearchConfig(),
        Extraction(shard_size=1),
        SimpleNamespace(digest="d", facts={}),
        SimpleNamespace(images=lambda *_: set()),
    )
    rates = []
    for shard, _ in shards:
        rates.append(shard.rate)
        clock[0] += 1000.0  # the time of whoever saves the shard
    assert rates == pytest.approx([100 / 4, 200 / 8, 300 / 8, 300 / 8])
