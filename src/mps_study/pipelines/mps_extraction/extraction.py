"""Extracts the records of one model and search and packs them into shards, going on where an earlier run stopped."""

from __future__ import annotations

import logging
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
from mps_study.pipelines.maps import Maps
from mps_study.pipelines.mps_extraction.reading import Reader
from mps_study.pipelines.packing import packed
from mps_study.pipelines.targets import targets_of
from mps_study.project.parameters import Extraction

log = logging.getLogger(__name__)

NO_MAPS = Maps(None)
"""Of a search that needs none."""


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
    maps: Maps = NO_MAPS,
) -> Iterator[tuple[RecordShard, ModelCard]]:
    """Yield the shards that are missing, in the order of the manifest, the last one marked complete.

    With each goes the model's card, which now says how the model is asked fastest on this machine. An image whose bytes
    cannot be decoded, or that has no map where the search needs one, becomes a record with status `failed`. One whose
    bytes cannot be had gets none, and the model is not complete. The classifier is only opened if there is something to
    do.

    Raises:
        UnreadError: bytes of some images cannot be had; all others have their records.
    """
    name = unit_name(card.name, search_name)
    done = store.images(card.name, mark.digest)
    rows = manifest[["image", "file", "width", "height"]].itertuples(index=False, name=None)
    todo = [(str(i), str(f), int(w), int(h)) for i, f, w, h in rows if i not in done and i not in maps.missing]
    lost = {str(i): maps.missing[str(i)] for i in manifest["image"] if i not in done and i in maps.missing}
    classifier, card = open_classifier(card, model, extraction) if todo else (None, card)
    made = made_with(classifier.device) if classifier else {}
    reader = Reader(images, [(image, file) for image, file, _, _ in todo])
    sizes = manifest[["image", "width", "height"]].itertuples(index=False, name=None)
    views = {str(image): card.preprocessing.view(int(w), int(h)) for image, w, h in sizes if image not in done}

    other = baseline_image(card.preprocessing, search) if todo else None
    found: Iterable[MpsRecord] = ()
    if classifier:
        pixels = ((image, card.preprocessing.pixels(picture)) for image, picture in reader)
        targets = targets_of(card, search, manifest)
        if isinstance(targets, dict) and (without := len(manifest) - len(targets)):
            log.info("%s: %d images have no label; their sets keep the model's top-1", name, without)
        found = extract_mps(pixels, classifier, search, extraction.in_flight, maps.maps, other, targets)
    position = {image: i for i, image in enumerate(manifest["image"])}
    with progress_bar(len(manifest), name, done=len(done)) as bar:
        for pack in packed(found, extraction.shard_size, bar):
            records = pack.records
            if pack.last:
                records += [_failed(image, reason) for image, reason in {**lost, **reader.failed}.items()]
            records.sort(key=lambda record: position[record.key])
            shard = RecordShard(
                card.name,
                mark.digest,
                mark.facts,
                position[records[0].key] if records else len(position),
                records,
                {record.key: views[record.key] for record in records},
                pack.rate,
                pack.last and not reader.unread,
                search_name,
                made,
                {record.key: maps.costs[record.key] for record in records if record.key in maps.costs},
            )
            if classifier:
                card = with_measurements(card, classifier, extraction)
                if pack.last:
                    again = 100 * (classifier.rows - pack.evaluations) / max(1, classifier.rows)
                    log.info(
                        "%s: %d images searched, %d failed, %.0f evaluations/s, "
                        "%.1f %% of all answers asked again alone",
                        *(name, len(todo) - len(reader.unread), len(reader.failed), pack.rate, again),
                    )
            yield shard, card
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
    return None if path is None else preprocessing.pixels(decode(path.read_bytes(), str(path)))


def _failed(image: str, reason: str) -> MpsRecord:
    nothing = Target(-1, float("nan"))
    return MpsRecord(image, FAILED, reason, nothing, None, float("nan"), calls=0, evaluations=0)
