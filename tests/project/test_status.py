"""What is said of each model and search, from shards and holders that are made up."""

import pytest

from mps_study.datasets.records.counted import Shard
from mps_study.project.holders import Holder
from mps_study.project.status import Status, progress, shared_out


def holder(name="mps_extraction/m", alive=True, claimed=1000.0):
    """Of a process that claimed at a time."""
    return Holder(name, 12, "vm", "2026-11-26T05:00:00+00:00", "kedro run", claimed, alive)


def shard(images, written, evaluations=100, failed=0):
    """Of images named by letters."""
    return Shard(tuple(images), (evaluations,) * (len(images) - failed), failed, written, 10)


def state(shards=(), held=(), reason=None, exported=True, images=4):
    """Of the unit `m`."""
    return progress("m", "study", images, exported, shards, held, reason).state


def test_states():
    assert state(exported=False) == "not exported"
    assert state() == "waiting"
    assert state([shard("ab", 900)]) == "begun"
    assert state([shard("ab", 900)], [holder(alive=False)]) == "killed"
    assert state([shard("ab", 900)], [holder(alive=False)], "no file") == "failed"
    assert state([shard("ab", 900)], [holder(alive=False), holder(alive=True)]) == "running"  # resumed: one part lives
    assert state([], [holder(alive=None)]) == "held"
    assert state([], [holder()], "an earlier run failed") == "running"
    assert state([shard("ab", 900), shard("cd", 950)]) == "done"
    assert state([shard("ab", 900), shard("bc", 950)]) == "begun"  # the same image twice is one


def test_rate_and_time_left_are_those_of_this_run():
    before, mine = shard("ab", 900, 10_000), [shard("c", 1010), shard("def", 1040)]
    found = progress("m", "study", 10, True, [before, *mine], [holder(claimed=1000.0)], None)
    assert (found.done, found.rate) == (6, pytest.approx(400 / 40))
    assert found.seconds_left == pytest.approx(4 * 10)  # four images left, ten seconds each
    parts = [holder(claimed=1020.0), holder(claimed=1000.0), holder(claimed=100.0, alive=False)]
    assert progress("m", "study", 10, True, [before, *mine], parts, None).rate == found.rate
    fresh = progress("m", "study", 10, True, [before], [holder(claimed=1000.0)], None)
    assert (fresh.rate, fresh.seconds_left) == (None, None)
    assert progress("m", "study", 10, True, [before, *mine], [], None).rate is None


def test_images_that_failed_are_counted():
    found = progress("m", "study", 3, True, [shard("abc", 900, failed=2)], [], None)
    assert (found.state, found.failed) == ("done", 2)


def test_a_claim_of_a_part_belongs_to_its_unit_and_no_other():
    units = [("resnet", "study"), ("resnet", "minimal"), ("resnet152", "study")]
    own, minimal = ("resnet", "resnet, study, 3 of 16"), ("resnet, minimal", "resnet, minimal, 3 of 16")
    other = ("resnet15", "resnet, blurred", "resnet, blurred, 3 of 16", "resnet, study, 3")
    claims = [holder(f"mps_extraction/{name}") for name in (*own, *minimal, "resnet152", *other)]
    claims += [holder("metrics"), holder("model_export/resnet")]
    found = {unit: [each.name for each in held] for unit, held in shared_out(claims, units).items()}
    assert found == {
        ("resnet", "study"): [f"mps_extraction/{name}" for name in own],
        ("resnet", "minimal"): [f"mps_extraction/{name}" for name in minimal],
        ("resnet152", "study"): ["mps_extraction/resnet152"],
        None: [*(f"mps_extraction/{name}" for name in other), "metrics", "model_export/resnet"],
    }


def test_a_study_is_done_when_all_of_it_is():
    done = progress("a", "study", 1, True, [shard("a", 1)], [], None)
    begun = progress("b", "study", 2, True, [shard("a", 1)], [], None)
    assert Status([done], []).is_done and not Status([done, begun], []).is_done
    said = Status([done, begun], [holder("metrics")]).as_dict()
    assert said["total"] == {"images": 3, "done": 2, "states": {"done": 1, "begun": 1}}
    assert said["others"][0]["name"] == "metrics"
