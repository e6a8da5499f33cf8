"""A model as it is asked here: its classifier, opened as its card and the parameters say."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from mps_study.common.commands import kedro_run
from mps_study.common.digests import digest_of_files
from mps_study.compute.asking import Asking
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import files_of
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.throughput import Throughput, machine

log = logging.getLogger(__name__)


def open_classifier(card: ModelCard, model: Path, asking: Asking) -> tuple[OnnxClassifier, ModelCard]:
    """The classifier, asked as the parameters say or else as is fastest here; and the card, which remembers that.

    Raises:
        ValueError: the ONNX file is not the one that the card describes.
    """
    if digest_of_files(*files_of(model)) != card.digest:
        raise ValueError(
            f"{model} is not the model that its card describes (its sha256 differs); delete it, and export it again: "
            f"`{kedro_run('model_export', model=card.name)}`"
        )
    classifier = opened(card, model, asking)
    known = card.throughput.get(machine(classifier.device, classifier.precision))
    if known and not (asking.batch_size or asking.workers):
        classifier.adopt(known)
    elif not (asking.batch_size and asking.workers):
        log.info("%s: batches of %d, %d workers", card.name, classifier.batch_size, classifier.workers)
    return classifier, with_measurements(card, measurements(classifier, asking))


def opened(card: ModelCard, model: Path, asking: Asking) -> OnnxClassifier:
    """The classifier of a file that was found to be the card's."""
    chosen = asking.batch_size, asking.workers
    shape = card.preprocessing.shape
    return OnnxClassifier(
        model,
        asking.device,
        *chosen,
        precision=asking.precision,
        output=card.output,
        shape=shape,
        classes=card.classes,
    )


def measurements(classifier: OnnxClassifier, asking: Asking) -> dict[str, Throughput]:
    """Machine -> what the classifier has measured so far, unless the parameters said how it is asked."""
    if classifier.measured is None or asking.batch_size or asking.workers:
        return {}
    return {machine(classifier.device, classifier.precision): classifier.measured}


def with_measurements(card: ModelCard, measured: Mapping[str, Throughput]) -> ModelCard:
    """The card with these beside or instead of those that it had."""
    return card.model_copy(update={"throughput": {**card.throughput, **measured}}) if measured else card
