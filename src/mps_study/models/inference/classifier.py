"""The classifier that answers mutants: an ONNX model in ONNX Runtime."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mps_study.models.inference.onnx_file import OnnxFileError, Signature, loading_fault, read_graph, signature
from mps_study.models.inference.throughput import CANDIDATE_BATCH_SIZES, Throughput, candidate_workers, measure
from mps_study.mps.types import Reply, Slice

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxClassifier:
    """Answers mutants with an ONNX model of one input (batch, c, h, w) float32 and logits (batch, classes).

    Also served, and told by the file itself: input (batch, h, w, c); a fixed batch size; an output that ends in a
    softmax, whose logarithm is taken for the logits; several outputs, of which the first (batch, classes) is read.

    Args:
        path: the ONNX file.
        device: `cpu`, `cuda`, or `auto` (CUDA if ONNX Runtime offers it here, else CPU).
        batch_size: most mutants in one call; None measures the fastest for this model and machine.
        workers: calls that run at the same time, each on one thread on CPU; None measures likewise.

    Attributes:
        input_shape: (c, h, w) of the model's input; h and w are None where the model leaves them open.
        classes: number of classes.
        device: `cpu` or `cuda`, as it really runs.
        signature: how the file is asked.
        measured: the throughput that was measured, if it was.

    Raises:
        FileNotFoundError: there is no such file.
        OnnxFileError: the file is not an ONNX model of this form.
        ValueError: the device is not to be had. Nothing falls back to another device in silence.
    """

    def __init__(
        self,
        path: str | Path,
        device: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.device = _choose_device(device)
        self._session, self.signature = _open_session(self.path, self.device)
        self.input_shape, self.classes = self.signature.shape, self.signature.classes
        self._fixed_batch = self.signature.batch
        self._buffers = threading.local()
        self._batch_size, self._workers = batch_size or self._fixed_batch or 0, workers or 0
        self.measured: Throughput | None = None
        if self._fixed_batch and self._batch_size > self._fixed_batch:
            raise ValueError(
                f"{self.path}: the model's batch axis is fixed at {self._fixed_batch}; "
                f"a batch size of {batch_size} needs an export with a dynamic batch axis, or set batch_size to null"
            )

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

    def adopt(self, throughput: Throughput) -> None:
        """Ask as was once measured to be fastest, instead of measuring."""
        self._batch_size, self._workers = throughput.batch_size, throughput.workers

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Paint the slices' mutants into one batch and reply to its rows in order. Thread-safe."""
        rows = sum(part.stop - part.start for part in batch)
        buffer = self._buffer(rows, batch[0].picture.pixels.shape)
        at = 0
        named: list[int] = []
        for part in batch:
            for row in range(part.start, part.stop):
                part.mutants.paint(row, part.picture, buffer[at])
                at += 1
            named += [part.mutants.label] * (part.stop - part.start)
        return reply_of_logits(self.logits(buffer[:rows]), np.array(named) if max(named) >= 0 else None)

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(b, classes) the model's logits for inputs (b, c, h, w) float32; of probabilities, their logarithm."""
        rows = len(inputs)
        if self._fixed_batch and rows < self._fixed_batch:
            padding = np.zeros((self._fixed_batch - rows, *inputs.shape[1:]), dtype=np.float32)
            inputs = np.concatenate([inputs, padding])
        if self.signature.channels_last:
            inputs = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
        output: NDArray[np.float32] = self._session.run([self.signature.output], {self.signature.input: inputs})[0]
        if self.signature.probabilities:  # the smallest normal number keeps a class of probability 0 finite
            output = np.log(np.maximum(output, np.finfo(np.float32).tiny))
        return output[:rows]

    def _buffer(self, rows: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A batch buffer of the calling thread, kept between calls."""
        buffer: NDArray[np.float32] | None = getattr(self._buffers, "batch", None)
        if buffer is None or len(buffer) < rows or buffer.shape[1:] != shape:
            expected = self.input_shape
            if any(e not in (None, a) for e, a in zip(expected, shape, strict=True)):
                raise ValueError(
                    f"{self.path}: the model takes images of shape {expected}, got {tuple(shape)}; "
                    "preprocess the image for this model"
                )
            buffer = self._buffers.batch = np.empty((rows, *shape), dtype=np.float32)
        return buffer

    def _measure(self) -> None:
        if self._batch_size and self._workers:
            return
        c, h, w = (size or 224 for size in self.input_shape)
        sizes = [self._batch_size] if self._batch_size else CANDIDATE_BATCH_SIZES[self.device]
        crews = [self._workers] if self._workers else candidate_workers(self.device)
        self.measured = measure(self.logits, (c, h, w), sizes, crews)
        self.adopt(self.measured)


def reply_of_logits(logits: NDArray[np.float32], named: NDArray[np.int64] | None = None) -> Reply:
    """Top-1 labels, their softmax confidence and the margin to the second logit, of logits (b, classes).

    Computed in float32 and with the first of equal classes winning, as rex-xai does. A row that is not finite
    gets label -1 and confidence NaN. Where `named` (b,) names a class, not -1, its log-odds are given too.
    """
    with np.errstate(invalid="ignore"):  # rows that are not finite are answered below
        top = logits.max(axis=1, keepdims=True)
        shifted = np.exp(logits - top)
        labels = shifted.argmax(axis=1)
        confidences = np.float32(1) / shifted.sum(axis=1)
    if logits.shape[1] > 1:
        margins = top[:, 0] - np.partition(logits, -2, axis=1)[:, -2]
    else:
        margins = np.full(len(logits), np.inf, dtype=np.float32)
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        labels[bad], confidences[bad], margins[bad] = -1, np.nan, np.inf
    return Reply(labels, confidences, margins, None if named is None else _log_odds(logits, named))


def _log_odds(logits: NDArray[np.float32], named: NDArray[np.int64]) -> NDArray[np.float32]:
    """(b,) the named class's logit less the log of the other classes' summed exponentials; NaN where none is named."""
    rows = np.arange(len(logits))
    own = logits[rows, named].astype(np.float64)
    others = logits.astype(np.float64)
    others[rows, named] = -np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        top = others.max(axis=1)
        log_odds = own - top - np.log(np.exp(others - top[:, None]).sum(axis=1))
    named_and_finite = (named >= 0) & np.isfinite(log_odds)
    return np.where(named_and_finite, log_odds, np.nan).astype(np.float32)


def _choose_device(device: str) -> str:
    if device == "auto":
        return "cuda" if cuda_works() else "cpu"
    if device not in _PROVIDERS:
        raise ValueError(f"device is {device!r}; use auto, {' or '.join(_PROVIDERS)}")
    if device == "cuda" and not cuda_works():
        raise ValueError(
            "device cuda was asked for, but ONNX Runtime finds no usable CUDA device here; "
            "install the extra with `pip install mps-study[cuda]`, check `nvidia-smi`, or use device cpu"
        )
    return device


def cuda_works() -> bool:
    """Whether there is a CUDA device: ONNX Runtime's GPU build offers the provider on machines without one."""
    if _PROVIDERS["cuda"] not in ort.get_available_providers():
        return False
    return any(Path(p).exists() for p in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg")) or (
        os.name == "nt" and bool(os.environ.get("CUDA_PATH"))
    )


def _open_session(path: Path, device: str) -> tuple[ort.InferenceSession, Signature]:
    graph = read_graph(path)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if device == "cpu":
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(str(path), options, providers=[_PROVIDERS[device]])
    except Exception as error:  # ONNX Runtime raises many types, all meaning "cannot load"
        raise loading_fault(path, error) from error
    if _PROVIDERS[device] not in session.get_providers():
        raise ValueError(
            f"{path}: device {device} was asked for, but ONNX Runtime runs this model on "
            f"{', '.join(session.get_providers())}; install `mps-study[cuda]` or use device cpu"
        )
    return session, signature(session.get_inputs(), session.get_outputs(), graph, path)


__all__ = ["OnnxClassifier", "OnnxFileError", "cuda_works", "reply_of_logits"]
