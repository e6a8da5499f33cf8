"""The classifier that answers mutants: an ONNX model in ONNX Runtime."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mps_study.models.throughput import CANDIDATE_BATCH_SIZES, Throughput, candidate_workers, measure
from mps_study.mps.types import Reply, Slice

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxClassifier:
    """Answers mutants with an ONNX model of one input (batch, c, h, w) float32 and logits (batch, classes).

    Args:
        path: the ONNX file.
        device: `cpu`, `cuda`, or `auto` (CUDA if ONNX Runtime offers it here, else CPU).
        batch_size: most mutants in one call; None measures the fastest for this model and machine.
        workers: calls that run at the same time, each on one thread on CPU; None measures likewise.

    Attributes:
        input_shape: (c, h, w) of the model's input; h and w are None where the model leaves them open.
        classes: number of classes.
        device: `cpu` or `cuda`, as it really runs.
        measured: the throughput that was measured, if it was.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not an ONNX model of this form, or the device is not to be had. Nothing falls back
            to another device in silence.
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
        self._session = _open_session(self.path, self.device)
        self._input, self.input_shape, self._fixed_batch, self.classes = _signature(self._session, self.path)
        self._buffers = threading.local()
        self._batch_size, self._workers = batch_size or self._fixed_batch or 0, workers or 0
        self.measured: Throughput | None = None
        if self._fixed_batch and self._batch_size > self._fixed_batch:
            raise ValueError(
                f"{self.path}: the model's batch axis is fixed at {self._fixed_batch}; "
                f"a batch size of {batch_size} needs an export with a dynamic batch axis"
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
        """(b, classes) the model's raw output for inputs (b, c, h, w) float32."""
        rows = len(inputs)
        if self._fixed_batch and rows < self._fixed_batch:
            padding = np.zeros((self._fixed_batch - rows, *inputs.shape[1:]), dtype=np.float32)
            inputs = np.concatenate([inputs, padding])
        output: NDArray[np.float32] = self._session.run(None, {self._input: inputs})[0]
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


def _open_session(path: Path, device: str) -> ort.InferenceSession:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such ONNX file")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if device == "cpu":
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(str(path), options, providers=[_PROVIDERS[device]])
    except Exception as error:  # ONNX Runtime raises many types, all meaning "cannot load"
        raise ValueError(f"{path}: ONNX Runtime cannot load this model: {error}") from error
    if _PROVIDERS[device] not in session.get_providers():
        raise ValueError(
            f"{path}: device {device} was asked for, but ONNX Runtime runs this model on "
            f"{', '.join(session.get_providers())}; install `mps-study[cuda]` or use device cpu"
        )
    return session


def _signature(session: ort.InferenceSession, path: Path) -> tuple[str, tuple[int | None, ...], int, int]:
    """Input's name and (c, h, w), the batch size if it is fixed (else 0), and the number of classes."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    expected = f"{path}: expected one input (batch, channels, height, width) of float32"
    if len(inputs) != 1:
        raise ValueError(f"{expected}, but the model has {len(inputs)} inputs")
    shape = inputs[0].shape
    if inputs[0].type != "tensor(float)" or len(shape) != 4:
        raise ValueError(f"{expected}, but the model takes {inputs[0].type} {shape}")
    sizes = tuple(size if isinstance(size, int) else None for size in shape)
    if sizes[1] not in (None, 1, 3, 4):
        raise ValueError(f"{expected}, but axis 1 has {sizes[1]} entries; is the model (h, w, c)?")
    classes = outputs[0].shape[-1] if len(outputs[0].shape) == 2 else None
    if not isinstance(classes, int):
        raise ValueError(
            f"{path}: expected logits (batch, classes) as the first output, "
            f"but it is {outputs[0].name} {outputs[0].shape}"
        )
    return inputs[0].name, sizes[1:], sizes[0] or 0, classes
