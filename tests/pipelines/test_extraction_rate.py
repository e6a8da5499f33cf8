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


def shards_of(monkeypatch, tmp_path, clock, seconds, shard_size):
    """The shards of a search that takes so many seconds an image."""

    def search(_):
        for image, spent in seconds.items():
            clock[0] += spent
            record = MpsRecord(image, FOUND, "", Target(1, 0.5), None, 0.5, calls=100, evaluations=100)
            yield Found("m", [record])
        yield Found("m", rows=300, done=True)

    monkeypatch.setattr(extraction, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    card = SimpleNamespace(name="m", preprocessing=SimpleNamespace(view=lambda w, h: (0, 0, h, w)))
    images = len(seconds)
    work = SimpleNamespace(job=SimpleNamespace(name="m", card=card), images=images, reader=SimpleNamespace(check=id))
    manifest = pd.DataFrame({"image": list(seconds), "width": 4, "height": 4})
    mark = SimpleNamespace(digest="d", facts={})
    study = SimpleNamespace(
        units=["m"],
        claim=lambda unit: Claims(tmp_path).claim(unit),
        begin=lambda unit: ModelSearch(work, "study", mark, manifest, 0, None, shard_size),
        is_whole=lambda search: True,
        notes=lambda search: {},
    )
    runner = SimpleNamespace(rounds=lambda names: [names], run=search)
    return (shard for shard, *_ in extraction.extract(study, runner) if shard.records or shard.complete)


def test_it_is_that_of_the_whole_search_and_saving_does_not_count(monkeypatch, tmp_path):
    clock, rates, closed = [0.0], [], []
    for shard in shards_of(monkeypatch, tmp_path, clock, SECONDS, shard_size=1):
        rates += [shard.rate] if shard.records else []
        closed += [shard.fingerprint] if shard.complete else []
        clock[0] += 1000.0  # the time of whoever saves the shard
    assert rates == pytest.approx([100 / 4, 200 / 8, 300 / 8])
    assert closed == ["d"]


def test_a_minute_of_records_is_stored_even_if_the_shard_is_not_full(monkeypatch, tmp_path):
    seconds = {"a": 30.0, "b": 61.0, "c": 1.0, "d": 59.0, "e": 2.0, "f": 0.0}
    shards = list(shards_of(monkeypatch, tmp_path, [0.0], seconds, shard_size=100))
    found = [[record.key for record in shard.records] for shard in shards if shard.records]
    assert found == [["a", "b"], ["c", "d", "e"], ["f"]]
    assert [shard.complete for shard in shards] == [False, False, False, True]
