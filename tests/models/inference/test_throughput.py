"""How the fastest batch size is found."""

import threading
import time

import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from mps_study.models.inference import throughput
from mps_study.models.inference.throughput import machine, measure


def memory_for(limit):
    """A model on a device that holds batches up to a limit."""

    def ask(n):
        if n > limit:
            raise RuntimeException("Failed to allocate memory for requested buffer")

    return ask


def test_a_batch_that_does_not_fit_the_device_is_not_chosen():
    assert measure(memory_for(4), (1, 2, 4, 8, 16), [1, 2]).batch_size <= 4


def test_a_device_that_holds_not_even_the_smallest_batch_is_an_error():
    with pytest.raises(RuntimeException, match="Failed to allocate"):
        measure(memory_for(4), (8, 16), [1])


def crowded(limit):
    """A model on a device that holds so many calls at once."""
    running = []

    def ask(n):
        running.append(None)
        try:
            time.sleep(0.02)
            if len(running) > limit:
                raise RuntimeException("Failed to allocate memory for requested buffer")
        finally:
            running.pop()

    return ask


def test_where_many_workers_do_not_fit_fewer_are_asked():
    assert measure(crowded(2), (1, 2), [1, 2, 3]).workers == 2


def test_where_larger_batches_fit_fewer_workers_only_they_are_timed():
    running = []

    def ask(n):
        """Eight images at once at most, and each call costs the same."""
        running.append(n)
        try:
            time.sleep(0.02)
            if sum(running) > 8:
                raise RuntimeException("Failed to allocate memory for requested buffer")
        finally:
            running.remove(n)

    assert measure(ask, (1, 8), [1, 2]).model_dump(include={"batch_size", "workers"}) == {
        "batch_size": 8,
        "workers": 1,
    }


def test_a_smaller_crew_is_timed_with_the_best_batch_only():
    asked = []

    def ask(n):
        asked.append((threading.current_thread() is threading.main_thread(), n))
        time.sleep(0.002)

    assert measure(ask, (1, 2, 4), [1, 2]).batch_size == 4
    assert [size for alone, size in asked if alone] == [1, 1, 2, 2, 4, 4, 4, 4]


def test_a_measurement_holds_for_one_processor_device_and_precision(monkeypatch):
    told = set()
    for name in ("H100", "T4"):
        monkeypatch.setattr(throughput, "processor", lambda device, name=name: f"{name} of {device}")
        told |= {machine(device, precision) for device in ("cpu", "cuda") for precision in ("fp32", "fp16")}
    assert len(told) == 8 and all("H100 of c" in each or "T4 of c" in each for each in told)


@pytest.mark.parametrize(
    ("one_call", "chosen"),
    [
        (lambda n, crew: 0.001 * n * crew, (1, 2, 1000.0)),  # as many a second however they are asked
        (lambda n, crew: 0.001 * n * crew * 1.05 ** (crew - 1), (1, 2, 952.4)),  # 5 % fewer by two
        (lambda n, crew: 0.001 * n * crew * 1.2 ** (crew - 1), (1, 1, 1000.0)),  # 17 % fewer by two
        (lambda n, crew: 0.001 * (n + 4) * crew, (4, 2, 500.0)),
        (lambda n, crew: 0.001 * (n + 0.1) * crew, (2, 2, 952.4)),  # one alone is slower by 7 %, two by 2 %
    ],
)
def test_the_most_workers_and_the_smallest_batch_that_are_as_good_are_chosen(monkeypatch, one_call, chosen):
    """With seconds that are known: of one call of n mutants while so many workers ask."""
    monkeypatch.setattr(throughput, "_seconds_of_one", lambda ask, n: one_call(n, 1))
    monkeypatch.setattr(throughput, "_seconds_of", lambda ask, calls, n, crew: calls * one_call(n, crew))
    found = measure(lambda n: None, (1, 2, 4), [1, 2])
    assert (found.batch_size, found.workers, found.evaluations_per_second) == chosen
