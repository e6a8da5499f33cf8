"""The model card: what a study must know about an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mps_study.common.class_names import names_from
from mps_study.models.inference.heads import Output
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.inference.throughput import Throughput

SAMPLE: Literal["sample"] = "sample"
"""Stands for the names that the images of a study bring."""


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
        class_names: the model's own, by index; `imagenet-1k`; or `sample`, where it has none and the images' apply.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    architecture: str
    timm: str | None
    weights: str
    classes: int
    class_names: Literal["imagenet-1k", "sample"] | tuple[str, ...]
    preprocessing: Preprocessing
    opset: int
    digest: str
    request: str
    parity: Parity | None
    holdout_accuracy: float | None = None
    throughput: dict[str, Throughput] = {}
    output: Output | None = None

    @property
    def fingerprint_facts(self) -> dict[str, Any]:
        """What of the model can change a record."""
        facts: dict[str, Any] = {"digest": self.digest, "preprocessing": self.preprocessing.facts}
        return facts | ({"output": self.output} if self.output else {})


def class_names(card: ModelCard, sample_names: Mapping[int, str]) -> Mapping[int, str]:
    """Class index -> name: the model's own, or those that the sample's manifest gives where it has none."""
    if card.class_names == SAMPLE:
        return sample_names
    return dict(enumerate(names_from(card.class_names, card.name)))
