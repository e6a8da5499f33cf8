"""Makes the maps of one model and method and packs them into shards, going on where an earlier run stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.commands import kedro_run
from mps_study.common.cores import cores
from mps_study.common.progress import progress_bar
from mps_study.compute.opening import open_classifier
from mps_study.compute.reading import Reader
from mps_study.compute.searching import baseline_image, pixels_of
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.maps.store import FAILED, MADE, NONE, MapRecord, MapShard, MapStore
from mps_study.datasets.maps.wanted import method_of
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.made_with import made_with
from mps_study.models.roster.roster import ModelEntry
from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.fingerprint import Fingerprint, baseline_bytes
from mps_study.pipelines.packing import packed
from mps_study.pipelines.targets import targets_of
from mps_study.project.parameters import Extraction
from mps_study.saliency.black_box import ROWS, BlackBox, confidences_of
from mps_study.saliency.faults import captum_fault
from mps_study.saliency.method import AskingMethod, Case, GradientMethod, Method, NoMapError

log = logging.getLogger(__name__)

Making = Callable[[Case], tuple[NDArray[np.float32], int, int]]
"""The map of one image, and the evaluations and gradients that it took."""


class Asked(NamedTuple):
    """The model that is asked: the unit of work's name, its entry, card, ONNX file, and what fine-tuning made of it."""

    unit: str
    entry: ModelEntry
    card: ModelCard
    onnx: Path
    checkpoint: Path | None


def maps_of_model(
    model: Asked,
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: SearchConfig,
    extraction: Extraction,
    mark: Fingerprint,
    store: MapStore,
) -> Iterator[MapShard]:
    """Yield the shards that are missing, in the order of the manifest, the last one marked complete.

    An image whose bytes cannot be decoded, that has other channels than the model, or of which the method makes no map,
    keeps a row that says why.

    Raises:
        ValueError: the method cannot work with this model, or captum is not there.
        UnreadError: bytes of some images cannot be had; all others have their maps.
    """
    card, method = model.card, method_of(search)
    assert method is not None
    done = store.images(card.name, mark.digest)
    rows = manifest[~manifest["image"].isin(done)]
    todo = list(zip(rows["image"].astype(str), rows["file"].astype(str), strict=True))
    reader = Reader(images, todo, dict(zip(rows["image"], rows["sha256"], strict=True)))
    position = {image: i for i, image in enumerate(manifest["image"])}
    made: dict[str, str] = {}
    found: Iterator[MapRecord] = iter(())
    if todo:
        if method.needs_captum and (fault := captum_fault("the map")):
            raise ValueError(fault)
        # calls are the methods' own: nothing to measure
        asking = replace(extraction.asking, batch_size=1, workers=1, precision="fp32")
        classifier, card = open_classifier(card, model.onnx, asking)
        made = made_with(classifier) | _versions(method)
        found = _found(model, method, classifier, reader, search, manifest)
    with progress_bar(len(manifest), model.unit, done=len(done)) as bar:
        for pack in packed(found, extraction.shard_size, bar):
            records = pack.records
            if pack.last:
                records += [MapRecord(image, FAILED, reason) for image, reason in reader.failed.items()]
            records.sort(key=lambda record: position[record.key])
            first = position[records[0].key] if records else len(position)
            complete = pack.last and not reader.unread
            yield MapShard(card.name, mark.digest, mark.facts, first, records, complete, made)
            if pack.last and todo:
                log.info("%s: %d maps, %.0f evaluations/s", model.unit, len(todo) - len(reader.unread), pack.rate)
    reader.check(kedro_run("saliency", model=card.name))


def _found(
    model: Asked,
    method: Method,
    classifier: OnnxClassifier,
    pictures: Reader,
    search: SearchConfig,
    manifest: pd.DataFrame,
) -> Iterator[MapRecord]:
    """A row an image, as they are made."""
    card = model.card
    targets = targets_of(card, search, manifest)
    other = baseline_image(card.preprocessing, baseline_bytes(search))
    make = _making(model, method, classifier)
    for image, pixels in pixels_of(pictures, card.preprocessing, pictures.failed):
        wanted = targets.get(image) if isinstance(targets, dict) else targets
        yield _record(image, pixels, search, other, wanted, classifier, make)


def _record(
    image: str,
    pixels: NDArray[np.float32],
    search: SearchConfig,
    other: NDArray[np.float32] | None,
    wanted: int | None,
    classifier: OnnxClassifier,
    make: Making,
) -> MapRecord:
    """The map of one image, of its top-1 or the class that is wanted."""
    behind = baseline_picture(pixels, search.baseline, Surroundings(image, search.seed, other)).baseline
    baseline = np.ascontiguousarray(np.broadcast_to(behind, pixels.shape), dtype=np.float32)
    target, asked = wanted, 0
    if target is None:
        target, asked = int(classifier.head.reply(classifier.logits(pixels[None])).labels[0]), 1
    if target < 0:
        return MapRecord(image, NONE, "the model's output for the whole image is not finite", evaluations=asked)
    try:
        found, evaluations, gradients = make(Case(image, pixels, baseline, target, search.seed))
    except NoMapError as error:
        return MapRecord(image, NONE, str(error), target, evaluations=asked)
    if not np.isfinite(found).all():
        reason = "some values of its map are not finite"
        return MapRecord(image, NONE, reason, target, None, asked + evaluations, gradients)
    return MapRecord(image, MADE, "", target, found, asked + evaluations, gradients)


def _making(model: Asked, method: Method, classifier: OnnxClassifier) -> Making:
    """How a map is made: by asking the ONNX model, or by the gradients of the torch model."""
    if isinstance(method, AskingMethod):
        confidences = confidences_of(classifier)
        rows = 1 if classifier.one_by_one else min(ROWS, classifier.signature.batch or ROWS)
        workers = cores() if classifier.device == "cpu" else 1

        def asking(case: Case) -> tuple[NDArray[np.float32], int, int]:
            box = BlackBox(confidences, rows, workers)
            return method.map(case, box), box.evaluations, 0

        return asking
    assert isinstance(method, GradientMethod)
    from mps_study.saliency.white_box import on_one_thread, white_box  # torch takes seconds

    box = white_box(model.card.name, model.entry, model.checkpoint, classifier.device)
    threads = on_one_thread if classifier.device == "cpu" else nullcontext

    def by_gradient(case: Case) -> tuple[NDArray[np.float32], int, int]:
        box.evaluations = box.gradients = 0
        with threads():
            return method.map(case, box), box.evaluations, box.gradients

    return by_gradient


def _versions(method: Method) -> dict[str, str]:
    """Versions of what computes the method."""
    needed = ("captum", "torch") if method.needs_captum else ("torch",) if method.by_gradient else ()
    return {name: version(name) for name in needed}
