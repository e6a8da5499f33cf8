"""What all classifiers of mutants do alike, whatever runs the model: batches of the fastest size, their tolerance."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from mps_study.models.inference.devices import Precision, is_out_of_memory
from mps_study.models.inference.heads import Head
from mps_study.models.inference.onnx_file import Signature, running_fault
from mps_study.models.inference.painting.painted import Painted, PaintedByNumpy, check_shape
from mps_study.models.inference.rows import chunks, classes_of, rows_of
from mps_study.models.inference.throughput import (
    AS_GOOD,
    CANDIDATE_BATCH_SIZES,
    TRIAL_SECONDS,
    Painting,
    Throughput,
    candidate_workers,
    measure,
    rate_of,
)
from mps_study.models.inference.tolerance import MUTANTS, ROUNDING, SAFETY, trial
from mps_study.mps.mutants import Picture
from mps_study.mps.types import Reply, Slice

log = logging.getLogger(__name__)

ONE_BY_ONE = (
    "the answer to an image depends on the batch that it is in by more than rounding; it is asked one image at a time"
)

USUAL = (3, 224, 224)
"""The shape of a picture where the model leaves it open, and the speed is asked for before any picture was seen."""

WORTH_IT = 1.02
"""So many times faster must painting in the graph be on a CPU to be chosen."""


class BatchedClassifier(ABC):
    """Answers mutants in batches of the size, and with the workers, that are fastest; thread-safe.

    Args:
        path: the model's file; of a model that is none, what messages call it.
        device: `cpu` or `cuda`, as it really runs.
        precision: of the batches.
        signature: what the model takes and gives.
        head: what its columns are.
        alone: asks about one mutant, in fp32.
        batch_size: most mutants in one call; None measures the fastest for this model and machine.
        workers: calls that run at the same time; None measures likewise.
        painting: how batches are painted; None measures likewise.
        shape: (c, h, w) of the pictures, where the model leaves it open; None takes that of the first picture.

    Attributes:
        input_shape: (c, h, w) of the model's input; None for what the model leaves open.
        classes, head: number of classes, or of labels; how the output becomes replies.
        device, signature: `cpu` or `cuda`, as it really runs; how the model is asked.
        measured: what was measured, if anything was: throughput, painting, tolerance.
        tolerance: how far answers in batches can be from those alone, as a logit; None until a batch was answered.
        one_by_one: whether an answer is known to depend on the batch that it is in.
        rows: mutants that were answered so far, those asked again included.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        precision: Precision,
        signature: Signature,
        head: Head,
        alone: PaintedByNumpy,
        batch_size: int | None,
        workers: int | None,
        painting: Painting | None,
        shape: tuple[int, int, int] | None = None,
    ) -> None:
        self.path, self.device, self.signature, self.head = path, device, signature, head
        self.precision: Precision = precision
        self.input_shape, self.classes, self._shape = signature.shape, head.classes, shape
        self._alone, self._painting = alone, painting
        self._together: Painted | None = None
        self._batch_size, self._workers = batch_size or signature.batch or 0, workers or 0
        self.one_by_one = False
        self.tolerance: float | None = None
        self._lock = threading.RLock()
        self.measured: Throughput | None = None
        self.rows = 0
        self.classify_alone = self._classify_alone if device == "cuda" else None

    @property
    def workers(self) -> int:
        """Calls that may run at the same time. Measured at the first look if it was not given (some seconds)."""
        self._measure()
        return self._workers

    @property
    def batch_size(self) -> int:
        """Most mutants in one call. Measured at the first look if it was not given (some seconds)."""
        self._measure()
        return self._batch_size

    def look_at(self, picture: Picture) -> None:
        """Learn the size of the pictures, where the file leaves it open, before anything is measured."""
        if self._shape is None:
            c, h, w = picture.pixels.shape
            self._shape = c, h, w

    def adopt(self, throughput: Throughput) -> None:
        """Ask as was once measured to be fastest, instead of measuring."""
        self._batch_size, self._workers = 1 if self.one_by_one else throughput.batch_size, throughput.workers
        self._painting, self.tolerance = throughput.painting, throughput.tolerance

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Paint the slices' mutants into one batch and reply to its rows in order. Thread-safe."""
        if batch[0].mutants.alone:
            return self._classify_alone(batch)
        check_shape(self.path, self.signature, batch[0].picture.pixels.shape)
        self._measure()
        self._measure_tolerance(batch[0].picture)
        return replace(self._reply(batch, self._answers(batch)), tolerance=self.tolerance or 0.0)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(b, classes) the model's logits for inputs (b, c, h, w) float32: what its head makes of the output."""
        return self.head.logits(self.outputs(inputs))

    def outputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(b, columns) what the model itself gives for inputs (b, c, h, w) float32."""
        rows = len(inputs)
        if rows < self.signature.batch:
            padding = np.zeros((self.signature.batch - rows, *inputs.shape[1:]), dtype=np.float32)
            inputs = np.concatenate([inputs, padding])
        return self._alone.of_inputs(inputs)[:rows]

    def _classify_alone(self, batch: Sequence[Slice]) -> Reply:
        """Reply to the slices' rows, each evaluated in a batch of one, in fp32."""
        return self._reply(batch, np.concatenate([self._answer_alone(part) for part in chunks(batch, 1)]))

    def _answer_alone(self, batch: Sequence[Slice]) -> NDArray[np.float32]:
        return self.head.logits(self._alone.output(batch, max(1, self.signature.batch)))

    def _answers(self, batch: Sequence[Slice]) -> NDArray[np.float32]:
        """(b, classes) logits, in as many calls as the batch size demands; halved where the memory does not suffice."""
        answers = []
        for part in chunks(batch, self._batch_size):
            rows = max(self._batch_size if self.device == "cuda" else rows_of(part), self.signature.batch)
            try:
                answers.append(self.head.logits(self._together_now().output(part, rows)))
            except (Fail, RuntimeException, RuntimeError) as error:  # a full memory; the last is what IO binding raises
                if not is_out_of_memory(error) or self._batch_size < 2 or self.signature.batch:
                    raise running_fault(self.path, error, (rows, *batch[0].picture.pixels.shape)) from error
                self._halve(rows, error)
                answers.append(self._answers(part))
        return np.concatenate(answers)

    def _halve(self, rows: int, error: Exception) -> None:
        """Batches of half the size from now on, in a session whose memory is new."""
        with self._lock:
            if self._batch_size < rows:  # another thread has done it
                return
            self._batch_size, self._together = rows // 2, None
            log.warning("%s: a batch of %d does not fit into memory; batches of %d from now on (%s)",
                        self.path.name, rows, rows // 2, " ".join(str(error).split())[:200])  # fmt: skip
            if self.measured:
                self.measured = self.measured.model_copy(update={"batch_size": self._batch_size})

    def _together_now(self) -> Painted:
        """What batches are asked with; opened when it is first needed."""
        with self._lock:
            if self._together is None:
                self._together = self._opened(self._painting or "numpy")
            return self._together

    @abstractmethod
    def _opened(self, painting: Painting) -> Painted:
        """What batches are asked with, opened anew."""

    def _reply(self, batch: Sequence[Slice], logits: NDArray[np.float32]) -> Reply:
        with self._lock:
            self.rows += len(logits)
        named, targets = classes_of(batch, "label"), classes_of(batch, "target")
        asked, last = max(named.max(), targets.max()), self.classes - (not self.head.multi_label)
        if asked > last:
            raise ValueError(f"{self.path}: class {asked} is asked for, but its classes are 0 to {self.classes - 1}")
        return self.head.reply(logits, named if named.max() >= 0 else None, targets if targets.max() >= 0 else None)

    def _measure(self) -> None:
        """Batch size, workers and painting, where they were not given."""
        with self._lock:
            if self._batch_size and self._workers and self._painting:
                return
            c, h, w = (size or other for size, other in zip(self.input_shape, self._shape or USUAL, strict=True))
            zeros = Picture(np.zeros((c, h, w), dtype=np.float32), np.zeros((c, 1, 1), dtype=np.float32))
            sizes = [self._batch_size] if self._batch_size else CANDIDATE_BATCH_SIZES[self.device]
            crews = [self._workers] if self._workers else candidate_workers(self.device)
            first: Painting = self._painting or "numpy"
            found = measure(self._asking(first, zeros), sizes, crews, AS_GOOD[self.device])
            found = found.model_copy(update={"painting": first})
            if self._painting is None:
                found = self._with_faster_painting(found, zeros)
            self.measured, self._together = found, None  # a new session: the arena of the measured one never shrinks
            self.adopt(found)

    def _with_faster_painting(self, found: Throughput, picture: Picture) -> Throughput:
        """The throughput with NumPy, or that with a painter in the graph if that is faster, both timed in turns.

        Where a call takes long the model's own work is all that counts, and no second session is opened.
        """
        size, crew = found.batch_size, found.workers
        if size * crew / found.evaluations_per_second > TRIAL_SECONDS:
            return found
        paintings: tuple[Painting, ...] = ("numpy", "graph")
        ways = [self._asking(way, picture) for way in paintings]
        rates = np.max([[rate_of(way, size, crew) for way in ways] for _ in range(2)], axis=0)
        if rates[1] < WORTH_IT * rates[0]:
            return found
        return found.model_copy(update={"painting": "graph", "evaluations_per_second": round(float(rates[1]), 1)})

    def _asking(self, painting: Painting, picture: Picture) -> Callable[[int], object]:
        """Asks about so many mutants of a picture in one call, in a session of its own."""
        painted, least = self._opened(painting), self.signature.batch
        return lambda n: painted.output([trial(picture, n)], max(n, least))

    def _measure_tolerance(self, picture: Picture) -> None:
        """How far answers in batches are from those alone, on mutants of a real picture; 0 where all are alone."""
        with self._lock:
            if self.tolerance is not None:
                return
            n = 0 if self._batch_size == 1 and self.precision == "fp32" else min(MUTANTS, 2 * self._batch_size)
            difference = self._difference(picture, n) if n else 0.0
            self.tolerance = SAFETY[self.precision] * difference
            if self.precision == "fp32" and difference > ROUNDING:
                log.warning("%s: %s (%.2g in a logit)", self.path.name, ONE_BY_ONE, difference)
                self._batch_size, self._together, self.tolerance = 1, None, 0.0
            if self.measured:
                update = {"batch_size": self._batch_size, "tolerance": self.tolerance}
                self.measured = self.measured.model_copy(update=update)

    def _difference(self, picture: Picture, n: int) -> float:
        mutants = trial(picture, n)
        whole = self.logits(picture.pixels[None])
        alone = np.concatenate([self._answer_alone(part) for part in chunks([mutants], 1)])
        return self.head.difference(alone, self._answers([mutants]), int(whole[0].argmax()))
