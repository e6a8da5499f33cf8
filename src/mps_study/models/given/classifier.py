"""The classifier that answers mutants by a model that Python holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort

from mps_study.models.given.asked import (
    INPUT,
    OUTPUT,
    AskedInProcess,
    GivenModelError,
    function_of_module,
    is_module,
    is_session,
)
from mps_study.models.inference.batched import BatchedClassifier
from mps_study.models.inference.heads import Head
from mps_study.models.inference.onnx_file import Signature, signature
from mps_study.models.inference.painting.painted import Painted, PaintedByNumpy, Session
from mps_study.models.inference.throughput import Painting
from mps_study.models.roster.outputs import LabelsOutput, Output, output_said

log = logging.getLogger(__name__)

ONE_WORKER = 1
"""Calls at the same time: nobody says that a user's function can be called twice at once, and torch takes all cores."""


class GivenClassifier(BatchedClassifier):
    """Answers mutants with a module of torch, a function (n, c, h, w) -> (n, classes), or a session of ONNX Runtime.

    It is asked one call after the other, in batches of the size that is fastest, painted with NumPy. What its output is
    nobody can read from it: logits, unless `output` says otherwise; `check_answers` tells where that cannot be.

    Args:
        model: a module in evaluation mode, a function, or a session.
        shape: (c, h, w) of the pictures; a session may say it itself.
        output: one of `OUTPUTS`, of labels also `{kind: sigmoid, threshold: 0.3}`; None: logits, which is not known.
        batch_size: most mutants in one call; None measures the fastest.
        name: what messages call it; None takes the module's or function's own.

    Its attributes are those of `BatchedClassifier`; `path` is the name.

    Raises:
        GivenModelError: it is nothing that can be called, is in training mode, fails, or answers in another form.
    """

    def __init__(
        self,
        model: Any,
        shape: tuple[int, int, int] | None = None,
        output: Output | LabelsOutput | Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        name: str | None = None,
    ) -> None:
        named = Path(name or name_of(model))
        session, asked = _asked(model, shape, named)
        head = _head(asked, output_said(output), named)
        alone = PaintedByNumpy(session, asked, named)
        super().__init__(named, "cpu", "fp32", asked, head, alone, batch_size, ONE_WORKER, "numpy", shape)

    def _opened(self, painting: Painting) -> Painted:
        return self._alone


def name_of(model: Any) -> str:
    """What a model calls itself: timm's name of the architecture, the class of a module, the name of a function."""
    if is_module(model):
        told = getattr(model, "pretrained_cfg", None)
        architecture = told.get("architecture") if isinstance(told, Mapping) else None
        return str(architecture or type(model).__name__)
    named: str = getattr(model, "__name__", type(model).__name__)
    return "function" if named == "<lambda>" else named


def _asked(model: Any, shape: tuple[int, int, int] | None, named: Path) -> tuple[Session, Signature]:
    if is_session(model):
        session: ort.InferenceSession = model
        return session, signature(session.get_inputs(), session.get_outputs(), named)
    if not callable(model):
        raise GivenModelError(
            f"model is a {type(model).__name__}; expected a name of a roster, the path of an ONNX file, a module of "
            "torch, a session of ONNX Runtime, or a function (n, c, h, w) -> (n, classes)"
        )
    if shape is None:
        raise GivenModelError(f"{named}: the shape (c, h, w) of its pictures is not known; give it")
    function: Callable[..., Any] = function_of_module(str(named), model) if is_module(model) else model
    asked = AskedInProcess(str(named), function)
    return asked, Signature(INPUT, OUTPUT, shape, asked.columns(shape), 0, False)


def _head(asked: Signature, said: Output | LabelsOutput | None, named: Path) -> Head:
    if isinstance(said, LabelsOutput):
        if asked.columns == 1:
            raise GivenModelError(f"{named} has one column, but output.threshold is for several labels; leave it out")
        return Head(said.kind, asked.columns, threshold=said.threshold)
    if said is None:
        log.info("%s: its output is taken for logits; where that is wrong, give `output`", named)
        return Head("logits", asked.columns, known=False)
    return Head(said, asked.columns)
