"""The schedule of a plan, against cases computed by hand and the bound that no schedule can beat."""

import random

import pytest

from mps_study.compute.units import Load
from mps_study.project.expected import RECORDS, Figure, exactly, unknown
from mps_study.project.plan import PlannedUnit, makespan, plan_of


def unit(model, left, evaluations, rate, images=10):
    """A unit with known or unknown (None) figures."""
    known = [unknown(f"{name}?") if value is None else exactly(value, RECORDS)
             for name, value in (("evaluations", evaluations), ("rate", rate))]  # fmt: skip
    return PlannedUnit(model, "study", images, images - left, *known, exactly(100.0, RECORDS), *[unknown("")] * 2)


def test_schedules_that_were_computed_by_hand():
    # one image each, longest first: 4 | 4, 4 + 4 | 4, 8 | 4 + 3, 8 | 7 + 3
    two = makespan([Load("b", 2, 3.0), Load("a", 3, 4.0)], 2)
    assert (two.hours * 3600, two.bound * 3600) == (pytest.approx(10), pytest.approx(9))
    # an image is never divided: three workers of four have nothing to do
    four = makespan([Load("a", 1, 10.0)], 4)
    assert (four.hours * 3600, four.bound * 3600) == (pytest.approx(10), pytest.approx(10))
    # 12 s of work of equal images share evenly, whatever the units are
    assert makespan([Load("a", 12, 1.0)], 3).hours * 3600 == pytest.approx(4)


def test_no_schedule_beats_the_bound_and_one_worker_does_all():
    chance = random.Random(0)
    for _ in range(50):
        loads = [Load(str(i), chance.randrange(0, 60), chance.uniform(0.1, 90)) for i in range(chance.randrange(1, 7))]
        work = sum(load.images * load.seconds for load in loads)
        assert makespan(loads, 1).hours * 3600 == pytest.approx(work)
        for workers in (2, 5, 64):
            found = makespan(loads, workers)
            assert found.bound <= found.hours * (1 + 1e-9)
            # Graham: greedy is at most the mean and one unit, which is at most 120 s or one image
            assert found.hours * 3600 <= work / workers + 120 + 1e-6


def test_what_has_records_is_not_planned_again_and_the_dearest_stands_first():
    plan = plan_of([unit("quick", 10, 100, 50), unit("dear", 4, 1000, 50), unit("done", 0, 1000, 50)], [2])
    assert [each.model for each in plan.units] == ["dear", "quick", "done"]
    assert [each.hours.value for each in plan.units] == [pytest.approx(80 / 3600), pytest.approx(20 / 3600), 0]
    assert plan.hours.value == pytest.approx(100 / 3600)
    assert plan.evaluations.value == 5000
    assert plan.record_bytes.value == 1400
    assert plan.makespans[0].bound == pytest.approx(50 / 3600)
    assert not plan.unknown


def test_what_is_unknown_stands_at_the_end_and_is_in_no_sum():
    plan = plan_of([unit("no rate", 10, 100, None), unit("known", 10, 100, 50), unit("no cost", 1, None, 50)], [1])
    assert [each.model for each in plan.units] == ["known", "no rate", "no cost"]
    assert [(each.model, each.hours.note) for each in plan.unknown] == [
        ("no rate", "rate?"),
        ("no cost", "evaluations?"),
    ]
    assert plan.hours.value == plan.makespans[0].hours == pytest.approx(20 / 3600)
    assert plan.hours.note == "without 2 unknown"
    nothing = plan_of([unit("no rate", 10, 100, None)], [1, 2])
    assert nothing.hours.value is None and nothing.makespans == []
    assert plan_of([unit("done", 0, None, None)], [1]).hours.value == 0  # what is done needs no figure


def test_a_range_of_evaluations_is_a_range_of_hours():
    spread = Figure(100.0, 50.0, 400.0, RECORDS)
    one = PlannedUnit("m", "study", 36, 0, spread, exactly(1.0, RECORDS), *[unknown("")] * 3)
    assert (one.hours.low, one.hours.value, one.hours.high) == (0.5, 1.0, 4.0)
