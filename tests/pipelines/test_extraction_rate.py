"""The speed of a search, as logs and MLflow show it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from mps_study.compute.jobs import Found
from mps_study.datasets.claims import Claims
from mps_study.mps.types import FOUND, MpsRecord, Target
from mps_study.pipelines.mps_extraction import extraction
from mps_study.pipelines.mps_extraction.model_search import ModelSearch

SECONDS = {"a": 4.0, "b": 4.0, "c": 0.0}
"""What each search takes: the last one's answers were there with those of the one before."""


def test_it_is_that_of_the_whole_search_and_saving_does_not_count(monkeypatch, tmp_path):
    clock = [0.0]

    def search(_):
        for image, seconds in SECONDS.items():
            clock[0] += seconds
            record = MpsRecord(image, FOUND, "", Target(1, 0.5), None, 0.5, calls=100, evaluations=100)
            yield Found("m", [record])
        yield Found("m", rows=300, done=True)

    monkeypatch.setattr(extraction, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    card = SimpleNamespace(name="m", preprocessing=SimpleNamespace(view=lambda w, h: (0, 0, h, w)))
    work = SimpleNamespace(job=SimpleNamespace(name="m", card=card), images=3, reader=SimpleNamespace(check=id))
    manifest = pd.DataFrame({"image": list(SECONDS), "width": 4, "height": 4})
    study = SimpleNamespace(
        units=["m"],
        claim=lambda unit: Claims(tmp_path).claim(unit),
        begin=lambda unit: ModelSearch(work, "study", SimpleNamespace(digest="d", facts={}), manifest, 0, None, 1),
        is_whole=lambda search: True,
        notes=lambda search: {},
    )
    runner = SimpleNamespace(rounds=lambda names: [names], run=search)
    rates, closed = [], []
    for shard, *_ in extraction.extract(study, runner):
        rates += [shard.rate] if shard.records else []
        closed += [shard.fingerprint] if shard.complete else []
        clock[0] += 1000.0  # the time of whoever saves the shard
    assert rates == pytest.approx([100 / 4, 200 / 8, 300 / 8])
    assert closed == ["d"]
