"""The head of a model: how its output becomes labels, confidences and margins.

| `output` | of k columns | of one column |
|---|---|---|
| `logits` | a softmax over k classes | one logit: two classes |
| `probabilities` | a distribution over k classes | the probability of class 1 of two |
| `sigmoid` | k labels, each a probability by itself | the probability of class 1 of two |
| `multi_label_logits` | k labels, each a logit by itself | one logit: two classes |

Two classes have the logits (0, z): class 1 is given where z > 0, with the confidence of the class that is given.

A multi-label head decides each label by itself: it is there where its sigmoid is above a threshold, .5 unless the user
says another. Where a mutant names the label that decides (`Mutants.target`), the reply is about that one; else it is
the most certain label. A picture with no label above it has the class `classes`, one more than there are labels: none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from mps_study.common.class_names import NO_LABEL
from mps_study.models.inference.graph_end import end_of, is_linear
from mps_study.models.inference.onnx_file import OnnxFileError, Signature
from mps_study.models.inference.replies import Classes, reply_of_labels, reply_of_logits
from mps_study.models.inference.tolerance import largest_difference, largest_difference_of_labels
from mps_study.models.roster.outputs import OF_LABELS, OUTPUTS, THRESHOLD, LabelsOutput, Output
from mps_study.mps.types import Reply

SAY = f"say which with `output: {' | '.join(OUTPUTS)}` (in the roster, `explain(..., output=...)`, `--output`)"

SLACK = 1e-3
"""So far outside of [0, 1] may rounding and quantisation take a probability."""

WHOLE = (0.1, 1.5)
"""Between these the probabilities of all classes sum up, however coarsely they are quantised."""

_SHARES: dict[str, Output] = {"softmax": "probabilities", "sigmoid": "sigmoid"}

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """What the columns of an output are.

    Args:
        output: see above.
        columns: how many there are.
        known: whether the file or the user says so. What is only assumed is checked on images.
        threshold: above which sigmoid a label of several is there.
    """

    output: Output
    columns: int
    known: bool = True
    threshold: float = THRESHOLD

    @property
    def classes(self) -> int:
        """Number of classes, or of labels."""
        return 2 if self.columns == 1 else self.columns

    @property
    def multi_label(self) -> bool:
        """Whether each label is decided by itself."""
        return self.columns > 1 and self.output in OF_LABELS

    def logits(self, output: NDArray[np.float32]) -> Logits:
        """(b, classes) of what the model gives, (b, columns): of each class, or the log-odds of each label."""
        if self.output in ("logits", "multi_label_logits"):
            return np.concatenate([np.zeros_like(output), output], axis=1) if self.columns == 1 else output
        own = _log(output)
        if self.output == "probabilities" and self.columns > 1:
            return own
        other = _log(np.float32(1) - output)
        return np.concatenate([other, own], axis=1) if self.columns == 1 else own - other

    def reply(self, logits: Logits, named: Classes | None = None, targets: Classes | None = None) -> Reply:
        """Labels, confidences, margins and log-odds (see `Reply`) of logits (b, classes)."""
        if not self.multi_label:
            return reply_of_logits(logits, named, targets)
        edge = 0.0 if self.threshold == THRESHOLD else math.log(self.threshold / (1 - self.threshold))
        return reply_of_labels(logits, named, targets, edge)

    def difference(self, alone: Logits, together: Logits, target: int) -> float:
        """The largest between logits (n, classes) of the same mutants, in what decides (see `tolerance.py`)."""
        if self.multi_label:
            return largest_difference_of_labels(alone, together)
        return largest_difference(alone, together, target)

    def with_none(self, names: Mapping[int, str]) -> dict[int, str]:
        """Names of the classes, and of the one that a multi-label head gives where no label is there."""
        return {**names, self.classes: NO_LABEL} if self.multi_label else dict(names)


def head_of(model: onnx.ModelProto, signature: Signature, output: Output | LabelsOutput | None, path: Path) -> Head:
    """The head that the user says, else the one that the graph's end says, else logits, which nobody has said.

    Raises:
        OnnxFileError: the graph's end is unclear and nothing is said; or it is no logits, and is said to be; or a
            softmax over one column, or one column with a threshold for several labels.
    """
    end, columns = end_of(model, signature.output), signature.columns
    named = f"{path}: its output {signature.output!r}"
    if end == "softmax" and columns == 1:
        raise OnnxFileError(f"{named} is a softmax over one column, which is always 1; export it without the softmax")
    if end == "part" and columns == 1:
        end = "sigmoid"
    if isinstance(output, LabelsOutput):
        if columns == 1 or end == "softmax":
            of = "one column" if columns == 1 else "one distribution"
            raise OnnxFileError(f"{named} is {of}, but output.threshold is for several labels; leave it out")
        return Head(output.kind, columns, threshold=output.threshold)
    said = output
    if said is not None:
        if end in _SHARES and said in ("logits", "multi_label_logits"):
            raise OnnxFileError(f"{named} ends in a {end}, so it is no logits, but `output` says {said}; leave it out")
        return Head(said, columns)
    if end == "squashed":
        raise OnnxFileError(f"{named} ends in what bends or scales its values, so that they may be no logits; {SAY}")
    if end in ("unclear", "part"):
        raise OnnxFileError(f"{named} is made of a softmax or sigmoid in a way that does not say what it is; {SAY}")
    if end in _SHARES:
        return Head(_SHARES[end], columns)
    return Head("logits", columns, known=is_linear(model, signature.output))


def check_head(head: Head, answers: Sequence[NDArray[np.float32]], path: Path) -> None:
    """Hold what a head is against raw outputs (n, columns) on pictures.

    Raises:
        OnnxFileError: nothing says what the output is, and all of it lies in [0, 1], as probabilities do; or it is said
            to be probabilities, and does not lie there.
    """
    rows = [answer.ravel() for answer in answers if np.isfinite(answer).all()]
    if not rows:
        return
    values = np.concatenate(rows)
    total = float(np.median([row.sum(dtype=np.float64) for row in rows]))
    if head.output == "probabilities" and head.columns > 1 and not WHOLE[0] <= total <= WHOLE[1]:
        raise OnnxFileError(
            f"{path}: its output is said to be probabilities of classes, but they sum to {total:.3g} and not to 1, as "
            f"where a softmax is over another axis; export it again, or {SAY}"
        )
    if not np.ptp(values):  # of a constant nothing can be told
        return
    inside = bool((values >= -SLACK).all() and (values <= 1 + SLACK).all())
    if inside and not head.known:
        raise OnnxFileError(
            f"{path}: its output looks like probabilities (all of it lies in [0, 1]), but its graph does not say what "
            f"it is; {SAY}"
        )
    if not inside and head.output in _SHARES.values():
        raise OnnxFileError(
            f"{path}: its output is said to be {head.output}, but reaches from {values.min():.3g} to "
            f"{values.max():.3g}, outside of [0, 1]; {SAY}"
        )


def _log(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    # the smallest normal number keeps a probability of 0 finite
    return np.log(np.maximum(shares, np.finfo(np.float32).tiny))
