"""Two ways to put mutants before a model: painted with NumPy into a batch, or by a painter inside its graph."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from mps_study.models.inference.devices import Precision, is_out_of_memory, open_session
from mps_study.models.inference.onnx_file import OnnxFileError, Signature, running_fault
from mps_study.models.inference.painting.canvas import Canvas
from mps_study.models.inference.painting.painter import LEAST_OPSET, Painter, opset_of
from mps_study.mps.types import Slice

Output = NDArray[np.float32]


class Session(Protocol):
    """The part of ONNX Runtime's sessions by which a model is asked; also of a model that is no file."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, NDArray[Any]]) -> Sequence[Any]:
        """The named outputs."""


class Painted(Protocol):
    """Asks a model about painted mutants. Thread-safe."""

    def output(self, batch: Sequence[Slice], rows: int) -> Output:
        """(b, columns) what the model answers to the slices' b mutants, in their order, asked in a batch of `rows`."""


class PaintedByNumpy:
    """Mutants painted into a buffer of the calling thread, then a session of the plain graph."""

    def __init__(self, session: Session, signature: Signature, path: Path) -> None:
        self._session, self._signature, self._path = session, signature, path
        self._local = threading.local()

    def output(self, batch: Sequence[Slice], rows: int) -> Output:
        """See `Painted`."""
        buffer = self._buffer(rows, batch[0].picture.pixels.shape)
        at = 0
        for part in batch:
            for row in range(part.start, part.stop):
                part.mutants.paint(row, part.picture, buffer[at])
                at += 1
        buffer[at:rows] = 0
        return self.of_inputs(buffer[:rows])[:at]

    def of_inputs(self, inputs: NDArray[np.float32]) -> Output:
        """(b, columns) what the model answers to inputs (b, c, h, w)."""
        with running(self._path, inputs.shape):
            fed = {self._signature.input: self._signature.fed(inputs)}
            return self._signature.read(self._session.run([self._signature.output], fed)[0])

    def _buffer(self, rows: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A batch buffer of the calling thread, kept between calls."""
        buffer: NDArray[np.float32] | None = getattr(self._local, "batch", None)
        if buffer is None or len(buffer) < rows or buffer.shape[1:] != shape:
            check_shape(self._path, self._signature, shape)
            buffer = self._local.batch = np.empty((rows, *shape), dtype=np.float32)
        return buffer


class PaintedByGraph:
    """A session of the graph that is joined to a painter, opened for the shape of the first picture; a canvas a thread.

    Where height and width are open, a picture of another shape opens another session in the place of the first.
    """

    def __init__(
        self, path: Path, graph: onnx.ModelProto, signature: Signature, device: str, precision: Precision
    ) -> None:
        fault = painter_fault(graph)
        if fault:
            raise OnnxFileError(f"{path}: {fault}")
        self._path, self._graph, self._signature = path, graph, signature
        self._device, self._precision = device, precision
        self._local, self._lock = threading.local(), threading.Lock()
        self._turn = threading.Lock() if device == "cuda" else nullcontext()
        self._session: tuple[tuple[int, ...], ort.InferenceSession] | None = None

    def output(self, batch: Sequence[Slice], rows: int) -> Output:
        """See `Painted`."""
        shape = batch[0].picture.pixels.shape
        session = self._session_for(shape)
        canvas: tuple[ort.InferenceSession, Canvas] | None = getattr(self._local, "canvas", None)
        if canvas is None or canvas[0] is not session:
            canvas = (session, Canvas(session, self._signature, shape, self._device, self._turn))
            self._local.canvas = canvas
        with running(self._path, (rows, *shape)):
            return canvas[1].output(batch, rows)

    def _session_for(self, shape: tuple[int, ...]) -> ort.InferenceSession:
        with self._lock:
            if self._session is None or self._session[0] != shape:
                check_shape(self._path, self._signature, shape)
                self._session = None  # its memory is free before the next is opened
                joined = Painter((shape[0], shape[1], shape[2])).joined(self._graph, self._signature)
                self._session = (shape, open_session(self._path, self._device, joined, self._precision))
            return self._session[1]


def painter_fault(graph: onnx.ModelProto) -> str | None:
    """Why a painter cannot be joined to a graph; None if it can."""
    if opset_of(graph) < LEAST_OPSET:
        return f"its opset is {opset_of(graph)}, and painting in the graph needs {LEAST_OPSET}; export it anew"
    return None


@contextmanager
def running(path: Path, shape: Sequence[int]) -> Iterator[None]:
    """ONNX Runtime's errors as one line with the model's name; but a full memory stays what it is, to be halved."""
    try:
        yield
    except OnnxFileError:
        raise
    except Exception as error:  # ONNX Runtime raises many types
        if is_out_of_memory(error):
            raise
        raise running_fault(path, error, shape) from error


def painting_unmeasured(device: str, possible: bool, told: bool) -> Literal["graph", "numpy"] | None:
    """In the graph on CUDA; on CPU what is faster, None, unless all else was `told` and nothing is measured."""
    if not possible:
        return "numpy"
    if device == "cuda":
        return "graph"
    return "numpy" if told else None


def check_shape(path: Path, signature: Signature, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the model takes images of this shape (c, h, w)."""
    if any(e not in (None, a) for e, a in zip(signature.shape, shape, strict=True)):
        raise ValueError(
            f"{path}: the model takes images of shape {signature.shape}, got {tuple(shape)}; "
            "preprocess the image for this model"
        )
