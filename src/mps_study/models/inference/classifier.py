"""The classifier that answers mutants: an ONNX model in ONNX Runtime."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from mps_study.models.inference.devices import Precision, choose_device, is_out_of_memory, open_session
from mps_study.models.inference.graph_end import mixes_rows
from mps_study.models.inference.half import HalfPrecision
from mps_study.models.inference.heads import head_of
from mps_study.models.inference.onnx_file import read_graph, running_fault, signature
from mps_study.models.inference.painting.painted import (
    Painted,
    PaintedByGraph,
    PaintedByNumpy,
    check_shape,
    painter_fault,
    painting_unmeasured,
)
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
from mps_study.models.roster.outputs import LabelsOutput, Output, output_said
from mps_study.mps.mutants import Picture
from mps_study.mps.types import Reply, Slice

log = logging.getLogger(__name__)

ONE_BY_ONE = (
    "the answer to an image depends on the batch that it is in by more than rounding; it is asked one image at a time"
)

USUAL = (3, 224, 224)
"""The shape of a picture where the file leaves it open, and the speed is asked for before any picture was seen."""

WORTH_IT = 1.02
"""So many times faster must painting in the graph be on a CPU to be chosen."""


class OnnxClassifier:
    """Answers mutants with an ONNX model of one input (batch, c, h, w) float32 and logits (batch, classes).

    Also served, and told by the file itself: input (batch, h, w, c), of float16, float64 or uint8; a fixed batch size;
    an output that ends in a softmax or sigmoid, or has one column (`heads.py`), or (batch, classes, 1, 1); several
    outputs, of which the first (batch, classes) is read. What the file does not tell, `output` says.

    Batches are painted inside the model's graph (`painter.py`) on CUDA, and on CPU where that was measured to be
    faster; else with NumPy. On CUDA all batches have one size, since every other shape would cost the choice of new
    algorithms; what must be alone is asked in a session of its own, always in fp32, on a thread of its own
    (`classify_alone`). A batch that does not fit into the device's memory is halved, and so are those that follow.

    Args:
        path: the ONNX file.
        device: `cpu`, `cuda`, or `auto` (CUDA if it works here, else CPU; with a warning if there is a GPU).
        batch_size: most mutants in one call; None measures the fastest for this model and machine.
        workers: calls that run at the same time, each on one thread on CPU; None measures likewise.
        precision: of the batches: `fp32`, `tf32` (on CUDA) or `fp16`. Lower ones are screens: replies say how far they
            can be off, and a search asks again alone what lies that near to a decision.
        painting: `graph` or `numpy`; None chooses.
        output: one of `OUTPUTS`, of labels also `{kind: sigmoid, threshold: 0.3}`; None takes what the file says.
        shape: (c, h, w) of the pictures, where the file leaves it open; None takes that of the first picture.
        classes: how many there are, which tells the output where the file has several.

    Attributes:
        input_shape: (c, h, w) of the model's input; None for what the model leaves open.
        classes, head: number of classes, or of labels; how the output becomes replies.
        device, signature: `cpu` or `cuda`, as it really runs; how the file is asked.
        measured: what was measured, if anything was: throughput, painting, tolerance.
        tolerance: how far answers in batches can be from those alone, as a logit; None until a batch was answered.
        one_by_one: whether an answer depends on the batch that it is in.
        rows: mutants that were answered so far, those asked again included.

    Raises:
        FileNotFoundError: there is no such file.
        OnnxFileError: the file is not an ONNX model of this form.
        ValueError: the device or precision is not to be had. Nothing falls back in silence.
    """

    def __init__(
        self,
        path: str | Path,
        device: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
        precision: Precision = "fp32",
        painting: Painting | None = None,
        output: Output | LabelsOutput | Mapping[str, Any] | None = None,
        shape: tuple[int, int, int] | None = None,
        classes: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.device = choose_device(device)
        if precision == "tf32" and self.device != "cuda":
            raise ValueError(f"precision is 'tf32', which only CUDA has, but the device is {self.device}; use fp32")
        self.precision: Precision = precision
        graph = read_graph(self.path)
        session = open_session(self.path, self.device)
        self.signature = signature(session.get_inputs(), session.get_outputs(), self.path, classes)
        self.head = head_of(graph, self.signature, output_said(output), self.path)
        self.input_shape, self.classes, self._shape = self.signature.shape, self.head.classes, shape
        self._alone = PaintedByNumpy(session, self.signature, self.path)
        self._together: Painted | None = None
        self._half = HalfPrecision(self.path)
        self._batch_size, self._workers = batch_size or self.signature.batch or 0, workers or 0
        self.one_by_one = mixes_rows(graph)
        told = bool(self._batch_size and self._workers)
        self._painting = painting or painting_unmeasured(self.device, painter_fault(graph) is None, told)
        self.tolerance: float | None = None
        self._lock = threading.RLock()
        self.measured: Throughput | None = None
        self.rows = 0
        self.classify_alone = self._classify_alone if self.device == "cuda" else None
        if self.signature.batch and self._batch_size > self.signature.batch:
            raise ValueError(
                f"{self.path}: the model's batch axis is fixed at {self.signature.batch}; "
                f"a batch size of {batch_size} needs an export with a dynamic batch axis, or set batch_size to null"
            )
        if self.one_by_one and self._batch_size != 1:
            log.warning("%s: it is quantised dynamically, so that %s", self.path.name, ONE_BY_ONE)
            self._batch_size = 1

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

    def _opened(self, painting: Painting) -> Painted:
        if self.precision != "fp16":
            if painting == "graph":
                return PaintedByGraph(self.path, read_graph(self.path), self.signature, self.device, self.precision)
            if self.precision == "fp32":
                return self._alone
            return PaintedByNumpy(open_session(self.path, self.device, precision="tf32"), self.signature, self.path)
        path, graph = self._half.model
        if painting == "graph":
            return PaintedByGraph(path, graph, self.signature, self.device, self.precision)
        return PaintedByNumpy(open_session(path, self.device, precision="fp16"), self.signature, self.path)

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
