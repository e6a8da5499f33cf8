"""How many mutants a second a model answers on this machine, and with what batch size and workers it answers most."""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException
from pydantic import BaseModel, ConfigDict

log = logging.getLogger(__name__)

CANDIDATE_BATCH_SIZES = {"cpu": (1, 2, 4, 8, 16), "cuda": (8, 16, 32, 64, 128)}
"""Batch sizes that are timed."""

TRIAL_SECONDS = 0.25
"""About how long each candidate is timed."""

Logits = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Throughput(BaseModel):
    """The fastest way to ask a model on one machine: mutants in a call, calls at the same time, mutants a second."""

    model_config = ConfigDict(frozen=True)

    batch_size: int
    workers: int
    evaluations_per_second: float


def machine(device: str) -> str:
    """What a measurement holds for: device, processor, cores and ONNX Runtime's version, as one line."""
    return f"{device}: {processor(device)}, {cores()} cores, onnxruntime {ort.__version__}"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def candidate_workers(device: str) -> list[int]:
    """Numbers of workers that are timed, each with one thread on CPU: one, half the cores, all of them."""
    if device == "cuda":
        return [1, 2, 3]
    return sorted({1, max(1, cores() // 2), cores()})


def measure(logits: Logits, shape: tuple[int, ...], batch_sizes: Sequence[int], workers: Sequence[int]) -> Throughput:
    """Time candidates on images of zeros (c, h, w); the most workers within 10 % of the best rate, and of theirs the
    smallest batch within 3 %.

    On a machine that is busy while this is measured all numbers of workers look alike; what is kept is to be right when
    it is free. So the most workers are timed with every size, and fewer only with the size that was best.

    Larger batches are no longer tried once they are clearly slower, take seconds, or do not fit into the device's
    memory: then fewer workers are timed with those as well.
    """
    rates: dict[tuple[int, int], float] = {}
    sizes = list(batch_sizes)
    for crew in sorted(workers, reverse=True):
        mine: list[float] = []
        full = False
        for size in sizes:
            inputs = np.zeros((size, *shape), dtype=np.float32)
            try:
                start = time.perf_counter()
                logits(inputs)
                one_call = time.perf_counter() - start
                calls = int(min(16, max(1, TRIAL_SECONDS / one_call)))
                mine.append(size * calls * crew / _seconds_of(logits, calls, inputs, crew))
            except RuntimeException as error:
                if crew == min(workers) and not rates:
                    raise
                log.info("batches of %d by %d workers are too much for this device: %s", size, crew, error)
                full = True
                break
            rates[size, crew] = mine[-1]
            if mine[-1] < 0.7 * max(mine) or one_call > 4 * TRIAL_SECONDS:
                break
        if rates:
            best_size, _ = max(rates, key=rates.__getitem__)
            sizes = [size for size in sizes if size == best_size or (full and size > best_size)]
    crew = max(crew for (_, crew), rate in rates.items() if rate >= 0.9 * max(rates.values()))
    best = max(rate for (_, its_crew), rate in rates.items() if its_crew == crew)
    size = min(size for (size, its_crew), rate in rates.items() if its_crew == crew and rate >= 0.97 * best)
    return Throughput(batch_size=size, workers=crew, evaluations_per_second=round(rates[size, crew], 1))


def _seconds_of(logits: Logits, calls: int, inputs: NDArray[np.float32], workers: int) -> float:
    """Wall time of `calls` calls by each worker, all at once."""
    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(logits, [inputs] * (calls * workers)):
            pass
    return time.perf_counter() - start


def processor(device: str) -> str:
    """The name of the GPU, or of the CPU."""
    if device == "cuda":
        names = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        models = [line.split(":", 1)[1].strip() for path in names for line in path.read_text().splitlines()[:1]]
        return " and ".join(models) or "a CUDA device"
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
