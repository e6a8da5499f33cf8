"""Units: all the work, once, dearest first, in pieces that shrink."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mps_study.compute.units import LONGEST_SECONDS, MOST_IMAGES, Load, cut, images_of_next, seconds_of_an_image

LOADS = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0.01, 100)), min_size=1, max_size=6
).map(lambda given: [Load(f"m{i}", n, s) for i, (n, s) in enumerate(given)])  # fmt: skip


def makespan(units, workers):
    """Seconds until all is done, whoever is free taking the next unit."""
    free = [0.0] * workers
    for unit in units:
        heapq.heappush(free, heapq.heappop(free) + unit.seconds)
    return max(free)


@given(LOADS, st.integers(1, 70))
def test_every_image_is_in_one_unit_and_none_is_too_large(loads, workers):
    units = list(cut(loads, workers))
    for load in loads:
        mine = [unit for unit in units if unit.name == load.name]
        assert [i for unit in mine for i in range(unit.start, unit.stop)] == list(range(load.images))
    for unit in units:
        assert 1 <= unit.stop - unit.start <= MOST_IMAGES
        assert unit.stop - unit.start == 1 or unit.seconds <= LONGEST_SECONDS + 1e-6


@given(LOADS, st.integers(1, 70))
def test_images_that_take_longest_come_first(loads, workers):
    seconds = {load.name: load.seconds for load in loads}
    order = [seconds[unit.name] for unit in cut(loads, workers)]
    assert order == sorted(order, reverse=True)


@given(LOADS, st.integers(1, 70))
def test_the_last_is_done_at_most_one_image_or_a_share_after_the_work_divided_evenly(loads, workers):
    units = list(cut(loads, workers))
    total, dearest = sum(unit.seconds for unit in units), max((load.seconds for load in loads), default=0)
    assert makespan(units, workers) <= (total / workers) * (1 + 1 / 3) + dearest + 1e-6


def test_units_shrink_to_single_images_as_the_end_comes_near():
    sizes = [unit.stop - unit.start for unit in cut([Load("m", 1000, 1.0)], 8)]
    assert sizes[0] == MOST_IMAGES and sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)


def test_fifteen_models_and_a_thousand_images_end_within_a_hundredth_of_the_even_share():
    loads = [Load(f"m{i}", 1000, 50 * 0.6**i) for i in range(15)]
    total = sum(load.images * load.seconds for load in loads)
    assert makespan(cut(loads, 64), 64) < 1.01 * total / 64


def test_one_model_after_the_other_on_a_worker_each_would_take_three_times_as_long():
    """Why units are not whole models: the dearest of the paper's is two fifths of all work."""
    loads = [Load(f"m{i}", 1000, 50 * 0.6**i) for i in range(15)]
    assert max(load.images * load.seconds for load in loads) > 3 * makespan(cut(loads, 8), 8)


@pytest.mark.parametrize(("workers", "images"), [(1, 32), (100, 3), (1000, 1)])
def test_more_workers_get_smaller_units(workers, images):
    load = Load("m", 1000, 1.0)
    assert images_of_next([load], workers, load) == images


def test_what_is_not_known_is_taken_from_the_strategy_and_the_size_of_the_model():
    assert seconds_of_an_image("rex", evaluations=300, rate=100) == 3
    assert seconds_of_an_image("minimal", rate=100) < seconds_of_an_image("rex", rate=100)
    assert seconds_of_an_image("rex", model_bytes=4e9) > 100 * seconds_of_an_image("rex", model_bytes=2e7)
