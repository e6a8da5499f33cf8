"""What a model's output is, as a user says it: a kind, and of several labels from where on each is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from mps_study.common.numbers import plain
from mps_study.common.spelling import unknown

Output = Literal["logits", "probabilities", "sigmoid", "multi_label_logits"]
OUTPUTS: tuple[Output, ...] = ("logits", "probabilities", "sigmoid", "multi_label_logits")
OF_LABELS = ("sigmoid", "multi_label_logits")
"""Those of several columns that are labels, each decided by itself."""

THRESHOLD = 0.5


class LabelsOutput(BaseModel):
    """Several labels, each of which is there where its sigmoid is above `threshold`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["sigmoid", "multi_label_logits"]
    threshold: float


def output_said(given: object) -> Output | LabelsOutput | None:
    """A kind, or `{kind: sigmoid, threshold: 0.3}`, which is the kind alone where the threshold is .5.

    Raises:
        ValueError: neither: one line that says what is.
    """
    if given is None or isinstance(given, LabelsOutput):
        return given
    written, threshold = plain(given), THRESHOLD
    if isinstance(written, Mapping):
        strange = [key for key in written if key not in ("kind", "threshold")]
        if strange or "kind" not in written:
            raise ValueError(f"output is {written!r}; as a mapping it has `kind` and `threshold`, or use the kind")
        written, threshold = written["kind"], written.get("threshold", THRESHOLD)
    kind = next((each for each in OUTPUTS if each == written), None)
    if kind is None:
        if isinstance(written, str):
            raise ValueError(unknown("output", written, OUTPUTS, "It says what the columns of the model's output are."))
        raise ValueError(f"output is {written!r}; use {', '.join(OUTPUTS)}, or {{kind: sigmoid, threshold: 0.3}}")
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 < threshold < 1:
        raise ValueError(f"output.threshold is {threshold!r}; use a number above 0 and below 1")
    if threshold == THRESHOLD:
        return kind
    if kind not in OF_LABELS:
        raise ValueError(f"output.threshold is for several labels ({', '.join(OF_LABELS)}), but the kind is {kind}")
    return LabelsOutput(kind=kind, threshold=float(threshold))  # type: ignore[arg-type]


SaidOutput = Annotated[Output | LabelsOutput, BeforeValidator(output_said)]


def plain_output(output: Output | LabelsOutput) -> str | dict[str, Any]:
    """As it is written."""
    return output if isinstance(output, str) else output.model_dump()
