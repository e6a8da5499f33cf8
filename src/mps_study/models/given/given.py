"""What a user says of a model that Python holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.outputs import LabelsOutput, Output


@dataclass(frozen=True, eq=False)  # by identity, so that it has a hash whatever it holds
class GivenModel:
    """A model, with what nobody can read from it.

    Args:
        model: a module of torch in evaluation mode, a function (n, c, h, w) float32 -> (n, classes), a session of ONNX
            Runtime, the path of an ONNX file, or a name of a roster.
        preprocessing: `Preprocessing`, or its fields. None: what timm says of a module of its own; of an ONNX file
            ImageNet's usual at the file's input size; all else must say at least `input_size`.
        output: `logits` (None), `probabilities`, `sigmoid` or `multi_label_logits`; of several labels also
            `{kind: sigmoid, threshold: 0.3}`.
        class_names: a list or mapping by index, the path of a file, or `imagenet-1k`; None: what the file says.
        name: what it is called in results; None: its own name.

    Example:
        >>> def darkness(inputs):
        ...     grey = inputs.mean(axis=(1, 2, 3))
        ...     return np.stack([grey, -grey], axis=1)
        >>> model = GivenModel(darkness, {"input_size": 32}, "logits", ["light", "dark"])
        >>> model.class_names[1]
        'dark'
    """

    model: Any
    preprocessing: Preprocessing | Mapping[str, Any] | None = None
    output: Output | LabelsOutput | Mapping[str, Any] | None = None
    class_names: Sequence[str] | Mapping[int, str] | str | None = None
    name: str | None = None
