"""Extracts the records of one model and search and packs them into shards, going on where an earlier run stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.commands import kedro_run
from mps_study.common.digests import digest_of_files
from mps_study.common.progress import progress_bar
from mps_study.common.searches import OWN, unit_name
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.store import RecordShard, RecordStore
from mps_study.images.decoding import decode
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import files_of
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.made_with import made_with
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.inference.throughput import machine
from mps_study.mps.config import SearchConfig
from mps_study.mps.search import extract_mps
from mps_study.mps.types import FAILED, MpsRecord, Target
from mps_study.pipelines.fingerprint import Fingerprint, baseline_path
from mps_study.pipelines.mps_extraction.reading import Reader
from mps_study.pipelines.targets import targets_of
from mps_study.project.parameters import Extraction

log = logging.getLogger(__name__)

SHARD_SECONDS = 60
"""A shard is written after this time even if it is not full: what a killed run loses, beside the images in flight."""


def extract_model(
    card: ModelCard,
    model: Path,
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: SearchConfig,
    extraction: Extraction,
    mark: Fingerprint,
    store: RecordStore,
    search_name: str = OWN,
) -> Iterator[tuple[RecordShard, ModelCard]]:
    """Yield the shards that are missing, in the order of the manifest, the last one marked complete.

    With each goes the model's card, which now says how the model is asked fastest on this machine. An image whose bytes
    cannot be decoded becomes a record with status `failed`. One whose bytes cannot be had gets none, and the model is
    not complete. The classifier is only opened if there is something to do.

    Raises:
        UnreadError: bytes of some images cannot be had; all others have their records.
    """
    name = unit_name(card.name, search_name)
    done = store.images(card.name, mark.digest)
    rows = manifest[["image", "file", "width", "height"]].itertuples(index=False, name=None)
    todo = [(str(i), str(f), int(w), int(h)) for i, f, w, h in rows if i not in done]
    classifier, card = open_classifier(card, model, extraction) if todo else (None, card)
    reader = Reader(images, [(image, file) for image, file, _, _ in todo])
    views = {image: card.preprocessing.view(w, h) for image, _, w, h in todo}

    other = baseline_image(card.preprocessing, search) if todo else None
    found: Iterable[MpsRecord] = ()
    if classifier:
        pixels = read_pixels(reader, card.preprocessing)
        targets = targets_of(card, search, manifest)
        if isinstance(targets, dict) and (without := len(manifest) - len(targets)):
            log.info("%s: %d images have no label; their sets keep the model's top-1", name, without)
        found = extract_mps(pixels, classifier, search, extraction.in_flight, baseline_image=other, targets=targets)
    position = {image: i for i, image in enumerate(manifest["image"])}
    waiting: list[MpsRecord] = []
    started, spent, evaluations = time.perf_counter(), 0.0, 0

    def shard(complete: bool) -> RecordShard:
        nonlocal spent, waiting
        spent += time.perf_counter() - started
        records = sorted(waiting, key=lambda record: position[record.key])
        packed = RecordShard(
            card.name,
            mark.digest,
            mark.facts,
            position[records[0].key] if records else len(position),
            records,
            {record.key: views[record.key] for record in records},
            evaluations / max(spent, 1e-9),
            complete,
            search_name,
            made_with(classifier) if classifier else {},
        )
        waiting = []
        return packed

    with progress_bar(len(manifest), name, done=len(done)) as bar:
        for record in found:
            assert classifier is not None
            waiting.append(record)
            evaluations += record.evaluations
            rate = evaluations / (spent + time.perf_counter() - started)
            bar.set_postfix_str(f"{rate:.0f} evaluations/s", refresh=False)
            bar.update()
            if len(waiting) >= extraction.shard_size or time.perf_counter() - started > SHARD_SECONDS:
                card = with_measurements(card, classifier, extraction)
                yield shard(complete=False), card
                started = time.perf_counter()  # saving and logging are not the search's time
    waiting += [_failed(image, reason) for image, reason in reader.failed.items()]
    last = shard(complete=not reader.unread)
    if classifier:
        again = 100 * (classifier.rows - evaluations) / max(1, classifier.rows)
        log.info(
            "%s: %d images searched, %d failed, %.0f evaluations/s, %.1f %% of all answers asked again alone",
            *(name, len(todo) - len(reader.unread), len(reader.failed), last.rate, again),
        )
        card = with_measurements(card, classifier, extraction)
    yield last, card
    reader.check(kedro_run("mps_extraction", model=card.name))


def open_classifier(card: ModelCard, model: Path, extraction: Extraction) -> tuple[OnnxClassifier, ModelCard]:
    """The classifier, asked as the parameters say or else as is fastest here; and the card, which remembers that.

    Raises:
        ValueError: the ONNX file is not the one that the card describes.
    """
    if digest_of_files(*files_of(model)) != card.digest:
        raise ValueError(
            f"{model} is not the model that its card describes (its sha256 differs); delete it, and export it again: "
            f"`{kedro_run('model_export', model=card.name)}`"
        )
    chosen = extraction.batch_size, extraction.workers
    classifier = OnnxClassifier(
        model,
        extraction.device,
        *chosen,
        precision=extraction.precision,
        output=card.output,
        shape=card.preprocessing.shape,
        classes=card.classes,
    )
    known = card.throughput.get(machine(classifier.device, classifier.precision))
    if known and not any(chosen):
        classifier.adopt(known)
    elif not all(chosen):
        log.info("%s: batches of %d, %d workers", card.name, classifier.batch_size, classifier.workers)
    return classifier, with_measurements(card, classifier, extraction)


def with_measurements(card: ModelCard, classifier: OnnxClassifier, extraction: Extraction) -> ModelCard:
    """The card with what the classifier has measured so far, unless the parameters said how it is asked."""
    if classifier.measured is None or extraction.batch_size or extraction.workers:
        return card
    here = machine(classifier.device, classifier.precision)
    return card.model_copy(update={"throughput": {**card.throughput, here: classifier.measured}})


def baseline_image(preprocessing: Preprocessing, search: SearchConfig) -> NDArray[np.float32] | None:
    """(c, h, w) float32: the image that `baseline: image` names, as this model sees it; None for other baselines."""
    path = baseline_path(search)
    if path is None:
        return None
    try:
        return preprocessing.pixels(decode(path.read_bytes(), str(path)))
    except ValueError as error:
        raise ValueError(f"search.baseline: image {str(path)!r}: {error}") from None


def read_pixels(reader: Reader, preprocessing: Preprocessing) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(image, pixels) of each that has the model's channels; the others have failed, and finally."""
    for image, picture in reader:
        try:
            pixels = preprocessing.pixels(picture)
        except ValueError as error:
            reader.failed[image] = f"image {image!r}: {error}"
            continue
        yield image, pixels


def _failed(image: str, reason: str) -> MpsRecord:
    nothing = Target(-1, float("nan"))
    return MpsRecord(image, FAILED, reason, nothing, None, float("nan"), calls=0, evaluations=0)
