"""The model card: what a study must know about an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mps_study.common.class_names import NO_LABEL, names_from
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.inference.throughput import Throughput
from mps_study.models.roster.outputs import Output, SaidOutput, plain_output

SAMPLE: Literal["sample"] = "sample"
"""Stands for the names that the images of a study bring."""

TRAINING: Literal["training"] = "training"
"""The same of a fine-tuned model whose training images did not name all its classes: the study's images share them."""


class Parity(BaseModel):
    """How the ONNX model compared with torch at export: images, largest difference of logits, tolerance.

    The difference is relative to the largest logit's magnitude, or absolute where that is below one.
    """

    model_config = ConfigDict(frozen=True)

    images: int
    max_difference: float
    tolerance: float


class ModelCard(BaseModel):
    """Facts about one exported model, kept beside its ONNX file.

    Args:
        name: the roster's name.
        weights: where the weights came from, as the roster says it.
        request: digest of everything that the export depends on; an export with the same request is reused.
        digest: sha256 of the ONNX file and its external data.
        throughput: machine -> how this model is asked fastest there, measured when it was first searched there.
        output: what the roster says of the output; None where the file says it.
        head: what the file says of it, where the first version took it for logits: records of that time are others.
        several_labels: whether each class is decided by itself, so that an image may have none of them.
        class_names: the model's own, by index (of a fine-tuned one those of its training images); `imagenet-1k`; or
            `sample` or `training`, where it has none and the images' apply.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    architecture: str
    timm: str | None
    weights: str
    classes: int
    class_names: Literal["imagenet-1k", "sample", "training"] | tuple[str, ...]
    preprocessing: Preprocessing
    opset: int
    digest: str
    request: str
    parity: Parity | None
    holdout_accuracy: float | None = None
    throughput: dict[str, Throughput] = {}
    output: SaidOutput | None = None
    head: Output | None = None
    several_labels: bool = False

    @property
    def names_itself(self) -> bool:
        """Whether it has names of its own."""
        return self.class_names not in (SAMPLE, TRAINING)

    @property
    def fingerprint_facts(self) -> dict[str, Any]:
        """What of the model can change a record."""
        facts: dict[str, Any] = {"digest": self.digest, "preprocessing": self.preprocessing.facts}
        return facts | {
            key: plain_output(value) for key, value in (("output", self.output), ("head", self.head)) if value
        }


def class_names(card: ModelCard, sample_names: Mapping[int, str]) -> Mapping[int, str]:
    """Class index -> name: the model's own, or those that the sample's manifest gives where it has none.

    Where each label is decided by itself, the class that is none of them as well.
    """
    names = dict(enumerate(names_from(card.class_names, card.name))) if card.names_itself else dict(sample_names)
    return names | ({card.classes: NO_LABEL} if card.several_labels else {})
