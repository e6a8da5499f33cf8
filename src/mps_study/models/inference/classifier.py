"""The classifier that answers mutants: an ONNX model in ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mps_study.models.inference.batched import ONE_BY_ONE, BatchedClassifier
from mps_study.models.inference.devices import Precision, choose_device, open_session
from mps_study.models.inference.graph_end import mixes_rows
from mps_study.models.inference.half import HalfPrecision
from mps_study.models.inference.heads import head_of
from mps_study.models.inference.onnx_file import read_graph, signature
from mps_study.models.inference.painting.painted import (
    Painted,
    PaintedByGraph,
    PaintedByNumpy,
    painter_fault,
    painting_unmeasured,
)
from mps_study.models.inference.throughput import Painting
from mps_study.models.roster.outputs import LabelsOutput, Output, output_said

log = logging.getLogger(__name__)


class OnnxClassifier(BatchedClassifier):
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

    Its attributes are those of `BatchedClassifier`.

    Example:
        >>> classifier = OnnxClassifier(tiny_onnx, device="cpu", batch_size=8, workers=1)
        >>> classifier.classes, classifier.input_shape
        (3, (3, 16, 16))
        >>> classifier.logits(np.zeros((2, 3, 16, 16), dtype=np.float32)).shape
        (2, 3)

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
        file, device = Path(path), choose_device(device)
        if precision == "tf32" and device != "cuda":
            raise ValueError(f"precision is 'tf32', which only CUDA has, but the device is {device}; use fp32")
        graph = read_graph(file)
        session = open_session(file, device)
        asked = signature(session.get_inputs(), session.get_outputs(), file, classes)
        head, alone = head_of(graph, asked, output_said(output), file), PaintedByNumpy(session, asked, file)
        told = bool((batch_size or asked.batch) and workers)
        painting = painting or painting_unmeasured(device, painter_fault(graph) is None, told)
        super().__init__(file, device, precision, asked, head, alone, batch_size, workers, painting, shape)
        self._half = HalfPrecision(file)
        if asked.batch and self._batch_size > asked.batch:
            raise ValueError(
                f"{file}: the model's batch axis is fixed at {asked.batch}; "
                f"a batch size of {batch_size} needs an export with a dynamic batch axis, or set batch_size to null"
            )
        self.one_by_one = mixes_rows(graph)
        if self.one_by_one and self._batch_size != 1:
            log.warning("%s: it is quantised dynamically, so that %s", file.name, ONE_BY_ONE)
            self._batch_size = 1

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
