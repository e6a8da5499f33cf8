"""What the engine itself costs: its time for one evaluation, and its memory, with classifiers that cost nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import psutil
from setting import MODELS, Row, spread

from mps_study import OnnxClassifier, SearchConfig, extract_mps
from mps_study.mps.types import Reply, Slice

SHAPE = (3, 224, 224)


BARS = {"rex": ("30", "10"), "group_testing": ("30", "15")}
"""Microseconds of the engine an evaluation, must and reach."""


class Free:
    """Paints nothing and answers from a table drawn in advance: the class in one of four rows."""

    batch_size, workers = 16, 1

    def __init__(self) -> None:
        self.rows = 0
        self._labels = (np.random.default_rng(0).random(1 << 20) < 0.25).astype(np.int64)
        self._confidences = np.full(64, 0.5, dtype=np.float32)

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """The next rows of the table; the whole image and the baseline, asked alone, get classes 1 and 0."""
        n = sum(part.stop - part.start for part in batch)
        if batch[0].mutants.alone:
            return Reply(np.array([int(batch[0].mutants.mask(batch[0].start).any())]), self._confidences[:1])
        start = self.rows % (len(self._labels) - 64)
        self.rows += n
        return Reply(self._labels[start : start + n], self._confidences[:n])


def images(n: int, shape: tuple[int, ...] = SHAPE) -> Iterator[tuple[str, np.ndarray]]:
    """Noise, made when it is asked for."""
    random = np.random.default_rng(1)
    for i in range(n):
        yield f"noise {i}", random.standard_normal(shape, dtype=np.float32)


def time_of_an_evaluation(repeats: int = 5, n: int = 8) -> list[Row]:
    """Rows of microseconds an evaluation, a strategy each."""
    rows = []
    for strategy in ("rex", "minimal", "group_testing"):
        times = []
        for _ in range(repeats):
            free, made = Free(), list(images(n))
            began = time.perf_counter()
            records = list(extract_mps(iter(made), free, SearchConfig(strategy=strategy)))
            times.append(1e6 * (time.perf_counter() - began) / sum(record.evaluations for record in records))
        bars = BARS.get(strategy, ("", ""))
        rows.append(Row(f"engine, {strategy}: microseconds an evaluation", *bars, **spread(times, 1)))
    return rows


def memory(n: int = 1000, budget: int = 12) -> list[Row]:
    """Rows of resident memory above that of the loaded model while n images stream through.

    Once with whole searches and a free classifier, once with the real model and a small budget of evaluations.
    """
    rows = []
    model = OnnxClassifier(MODELS / "efficientnet_lite0.onnx", "cpu", 4, 2)
    list(extract_mps(images(2), model, SearchConfig(strategy="minimal", budget=budget)))
    for name, classifier, config in (
        ("whole searches, free classifier", Free(), SearchConfig()),
        (f"budget {budget}, EfficientNet-Lite0", model, SearchConfig(strategy="minimal", budget=budget)),
    ):
        process = psutil.Process()
        before = process.memory_info().rss
        seen = []
        for _ in extract_mps(images(n), classifier, config):
            seen.append((process.memory_info().rss - before) / 2**20)
        first, last = max(seen[: n // 10]), max(seen[-n // 10 :])
        rows.append(Row(f"memory, {name}: peak MB beyond the model", "250", "100", f"{max(seen):.0f}", n))
        rows.append(
            Row(f"memory, {name}: peak MB, first and last tenth", "flat", "flat", f"{first:.0f}, {last:.0f}", n)
        )
    return rows
