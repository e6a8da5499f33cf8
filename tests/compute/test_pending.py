"""What is handed out, comes back, is lost, fails: every image ends in one record, or its job in one error."""

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from jobs_of import job_of, pictures, work_of

from mps_study.compute.jobs import Found, Work
from mps_study.compute.on_dask.pending import MOST_BYTES, TRIES, Pending
from mps_study.mps.types import FAILED, FOUND, MpsRecord, Target


@pytest.fixture
def job(tmp_path):
    """A job of a small model."""
    return job_of(tmp_path)


def found_of(unit):
    """A record of each image."""
    return Found(unit.job.name, [MpsRecord(s.image, FOUND, "", Target(0, 1.0), None, 1.0, 1, 1) for s in unit.images])


def drained(pending, outcome):
    """All that is told until nothing is open, with workers of a new name each."""
    told, number = [], 0
    while pending.open:
        worker = f"worker {number}"
        number += 1
        unit = pending.next_for(worker, [worker])
        told += list(outcome(pending, unit, worker)) if unit else list(pending.exhausted())
    return told


def test_every_image_once_and_the_end_is_told(job):
    told = drained(Pending([work_of(job, pictures(40))]), lambda p, unit, _: p.done(unit, found_of(unit), 1.0))
    assert [r.key for found in told for r in found.records] == list(pictures(40))
    assert [found.done for found in told] == [False] * (len(told) - 1) + [True]


def test_an_image_that_takes_its_workers_with_it_is_found_by_halving_and_fails_alone(job):
    lost = []

    def outcome(pending, unit, worker):
        if any(sent.image == "image 013" for sent in unit.images):
            lost.append(len(unit.images))
            return pending.lost(unit, worker)
        return pending.done(unit, found_of(unit), 1.0)

    told = drained(Pending([work_of(job, pictures(33))]), outcome)
    records = {r.key: r for found in told for r in found.records}
    assert records.keys() == pictures(33).keys()
    assert [key for key, record in records.items() if record.status == FAILED] == ["image 013"]
    assert "workers went away while they searched this image alone" in records["image 013"].reason
    assert lost == sorted(lost, reverse=True) and lost.count(1) == TRIES


def test_an_error_on_one_worker_is_not_yet_the_models(job):
    raised = []

    def outcome(pending, unit, worker):
        if len(raised) < TRIES - 1:
            raised.append(worker)
            return pending.failed(unit, worker, ValueError("this machine is ill"))
        return pending.done(unit, found_of(unit), 1.0)

    told = drained(Pending([work_of(job, pictures(5))]), outcome)
    assert not any(found.error for found in told) and sum(len(found.records) for found in told) == 5


def test_an_error_that_comes_everywhere_ends_the_job_and_no_other(job, tmp_path):
    other = job_of(tmp_path, "other")

    def outcome(pending, unit, worker):
        if unit.job.name == "m":
            return pending.failed(unit, worker, ValueError("no model"))
        return pending.done(unit, found_of(unit), 1.0)

    told = drained(Pending([work_of(job, pictures(50)), work_of(other, pictures(50))]), outcome)
    assert [(found.job, str(found.error)) for found in told if found.error] == [("m", "no model")]
    assert sum(len(found.records) for found in told if found.job == "other") == 50


def test_a_unit_goes_to_a_worker_that_has_not_tried_it_unless_all_have(job):
    pending = Pending([work_of(job, pictures(1))])
    unit = pending.next_for("a", ["a", "b"])
    list(pending.failed(unit, "a", ValueError()))
    assert pending.next_for("a", ["a", "b"]) is None
    assert pending.next_for("b", ["a", "b"]) is unit
    list(pending.failed(unit, "b", ValueError()))
    assert pending.next_for("a", ["a", "b"]) is unit


def test_the_dearest_comes_first_and_a_worker_keeps_to_its_model_while_that_is_nearly_as_dear(job):
    def works(*named):
        cards = [job.card.model_copy(update={"digest": name}) for name, _ in named]
        jobs = [replace(job, name=name, card=card) for (name, _), card in zip(named, cards, strict=True)]
        return [work_of(each, pictures(90), s) for each, (_, s) in zip(jobs, named, strict=True)]

    pending = Pending(works(("cheap", 1.0), ("nearly", 8.0), ("dear", 10.0)))
    given = [pending.next_for("a", "ab", has_open).job.name for has_open in ("", "nearly", "cheap")]
    assert given == ["dear", "nearly", "dear"]


def test_what_is_expected_of_a_job_is_what_was_seen_of_it(job):
    other = replace(job, name="other")
    pending = Pending([work_of(job, pictures(90), 10.0), work_of(other, pictures(90), 1.0)])
    first = pending.next_for("a", "a")
    assert first.job is job
    list(pending.done(first, found_of(first), 0.001))
    assert pending.next_for("a", "a").job is other


def test_a_unit_is_small_enough_to_travel_and_what_is_done_lies_no_longer_in_memory(job):
    size = 1 << 20
    names = [f"image {i}" for i in range(100)]
    reader = SimpleNamespace(
        contents=lambda: ((name, bytes(size)) for name in names), sha256=dict.fromkeys(names), failed={}
    )
    pending = Pending([Work(job, len(names), reader, seconds=0.001)])
    tracemalloc.start()
    try:
        sizes = []
        while unit := pending.next_for("a", "a"):
            sizes.append(len(unit.images))
            list(pending.done(unit, found_of(unit), 0.001))
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST_BYTES
    finally:
        tracemalloc.stop()
    assert max(sizes) == MOST_BYTES // size and sum(sizes) == len(names)


def test_maps_travel_with_their_images_and_count_in_what_is_small_enough_to(job):
    contents = pictures(40)
    maps = {image: np.full((1024, 1024), i, dtype=np.float32) for i, image in enumerate(list(contents)[:-1])}
    pending, sent = Pending([replace(work_of(job, contents, 0.001), maps=maps)]), {}
    while unit := pending.next_for("a", "a"):
        assert len(unit.images) == 1 or sum(each.size for each in unit.images) <= MOST_BYTES
        sent |= {each.image: each for each in unit.images}
        list(pending.done(unit, found_of(unit), 0.001))
    assert all(np.array_equal(sent[image].map, values) for image, values in maps.items())
    assert len({each.map_sha256 for each in sent.values()}) == 40
    assert sent[list(contents)[-1]][3:] == (None, "")


def test_maps_that_cannot_be_read_end_their_job_and_no_other(job, tmp_path):
    class Broken(dict):
        def get(self, image, default=None):
            if image == "image 020":
                raise OSError("the disk is gone")

    works = [replace(work_of(job, pictures(50)), maps=Broken()), work_of(job_of(tmp_path, "other"), pictures(50))]
    told = drained(Pending(works), lambda p, unit, _: p.done(unit, found_of(unit), 1.0))
    assert [(found.job, str(found.error)) for found in told if found.error] == [("m", "the disk is gone")]
    assert {name: sum(len(found.records) for found in told if found.job == name) for name in ("m", "other")} == {
        "m": 20,
        "other": 50,
    }


def test_images_that_cannot_be_had_are_left_out_and_those_of_other_bytes_fail(job, monkeypatch):
    monkeypatch.setattr("mps_study.compute.reading.PAUSES", ())
    contents = pictures(6)
    work = work_of(job, contents)
    del contents["image 002"]
    contents["image 004"] = b"other bytes"
    told = drained(Pending([work]), lambda p, unit, _: p.done(unit, found_of(unit), 1.0))
    records = {r.key: r.status for found in told for r in found.records}
    assert records == {f"image {i:03d}": FAILED if i == 4 else FOUND for i in (0, 1, 3, 4, 5)}
    assert list(work.reader.unread) == ["image 002"]
