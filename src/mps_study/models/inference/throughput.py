"""How many mutants a second a model answers on this machine, and with what batch size and workers it answers most."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException
from pydantic import BaseModel, ConfigDict

from mps_study.common.cores import cores
from mps_study.models.inference.devices import gpu_names
from mps_study.models.inference.onnx_file import OnnxFileError

log = logging.getLogger(__name__)

CANDIDATE_BATCH_SIZES = {"cpu": (1, 2, 4, 8, 16), "cuda": (8, 16, 32, 64, 128)}
"""Batch sizes that are timed."""

AS_GOOD = {"cpu": 0.97, "cuda": 0.85}
"""Share of the best rate at which a smaller batch is preferred: where batches have one size, small ones are fuller."""

TRIAL_SECONDS = 0.25
"""About how long each candidate is timed."""

WARM_UP_SECONDS = 8
"""A first call that takes longer than this counts as the size's speed: no device needs so long to find its memory."""

Ask = Callable[[int], object]
"""Asks the model about so many mutants in one call."""

Painting = Literal["graph", "numpy"]
"""Where mutants are painted: inside the model's graph, or into a buffer in front of it."""


class Throughput(BaseModel):
    """The fastest way to ask a model on one machine: mutants in a call, calls at the same time, mutants a second.

    `tolerance`: how far the margins of these batches can be from those of the same mutants asked alone; None where it
    was not measured.
    """

    model_config = ConfigDict(frozen=True)

    batch_size: int
    workers: int
    evaluations_per_second: float
    painting: Painting = "numpy"
    tolerance: float | None = None


def machine(device: str, precision: str = "fp32") -> str:
    """What a measurement holds for: device, processor, cores, ONNX Runtime's version and precision, as one line."""
    lower = "" if precision == "fp32" else f", {precision}"
    return f"{device}: {processor(device)}, {cores()} cores, onnxruntime {ort.__version__}{lower}"


def candidate_workers(device: str) -> list[int]:
    """Numbers of workers that are timed, each with one thread on CPU: one, half the cores, all of them.

    Two on CUDA: while one's batch is answered the other makes the next ready (see `Canvas`).
    """
    if device == "cuda":
        return [2]
    return sorted({1, max(1, cores() // 2), cores()})


def measure(ask: Ask, batch_sizes: Sequence[int], workers: Sequence[int], as_good: float = 0.97) -> Throughput:
    """Time candidates; the most workers within 10 % of the best rate, and their smallest batch that is `as_good`.

    On a machine that is busy while this is measured all numbers of workers look alike; what is kept is to be right when
    it is free. So the most workers are timed with every size, and fewer only with the size that was best.

    The first call of a size is not its speed: memory is found and algorithms are chosen in it. Only where it takes
    seconds, and on a CPU a second call would as well, it counts.

    Larger batches are no longer tried once they are clearly slower, take seconds, or do not fit into the device's
    memory: then fewer workers are timed with those as well.
    """
    rates: dict[tuple[int, int], float] = {}
    sizes = list(batch_sizes)
    for crew in sorted(workers, reverse=True):
        mine: list[float] = []
        full = False
        for size in sizes:
            try:
                one_call = _settled_call(ask, size)
                calls = int(min(16, max(1, TRIAL_SECONDS / one_call)))
                seconds = _seconds_of(ask, calls, size, crew) if calls * crew > 1 else one_call
            except (RuntimeException, RuntimeError, OnnxFileError) as error:
                if crew == min(workers) and not rates:
                    raise
                log.info("batches of %d by %d workers are too much for this device: %s", size, crew, error)
                full = True
                break
            mine.append(size * calls * crew / seconds)
            rates[size, crew] = mine[-1]
            if mine[-1] < 0.7 * max(mine) or one_call > 4 * TRIAL_SECONDS:
                break
        if rates:
            best_size, _ = max(rates, key=rates.__getitem__)
            sizes = [size for size in sizes if size == best_size or (full and size > best_size)]
    crew = max(crew for (_, crew), rate in rates.items() if rate >= 0.9 * max(rates.values()))
    best = max(rate for (_, its_crew), rate in rates.items() if its_crew == crew)
    size = min(size for (size, its_crew), rate in rates.items() if its_crew == crew and rate >= as_good * best)
    return Throughput(batch_size=size, workers=crew, evaluations_per_second=round(rates[size, crew], 1))


def rate_of(ask: Ask, size: int, workers: int) -> float:
    """Mutants a second in calls of one size by so many workers, once they have settled."""
    calls = int(min(16, max(1, TRIAL_SECONDS / _settled_call(ask, size))))
    return size * calls * workers / _seconds_of(ask, calls, size, workers)


def _settled_call(ask: Ask, size: int) -> float:
    """Seconds of the second call of a size, or of the first if that is long."""
    first = _seconds_of_one(ask, size)
    return first if first > WARM_UP_SECONDS else _seconds_of_one(ask, size)


def _seconds_of_one(ask: Ask, size: int) -> float:
    start = time.perf_counter()
    ask(size)
    return time.perf_counter() - start


def _seconds_of(ask: Ask, calls: int, size: int, workers: int) -> float:
    """Wall time of `calls` calls by each worker, all at once."""
    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(ask, [size] * (calls * workers)):
            pass
    return time.perf_counter() - start


PROCESSORS = Path("/proc/cpuinfo")
"""Linux's list of processors; elsewhere Python's `platform` is asked."""


def processor(device: str) -> str:
    """The name of the GPU, or of the CPU."""
    if device == "cuda":
        return " and ".join(gpu_names()) or "a CUDA device"
    lines = PROCESSORS.read_text().splitlines() if PROCESSORS.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
