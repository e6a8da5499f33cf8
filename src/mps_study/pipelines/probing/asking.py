"""Asks one model about the sets of one model, image by image, going on where an earlier run stopped."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.commands import kedro_run
from mps_study.common.progress import progress_bar
from mps_study.compute.reading import Reader, is_whole
from mps_study.compute.searching import baseline_image, pixels_of
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.probes.store import ProbeRecord, ProbeShard, ProbeStore
from mps_study.images.decoding import DecodingError, decode
from mps_study.measures.frame import carried
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.made_with import made_with
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.config import SearchConfig
from mps_study.mps.mutants import Picture
from mps_study.pipelines.fingerprint import baseline_bytes
from mps_study.pipelines.packing import packed
from mps_study.pipelines.probing.sets import StoredSet, StoredSets
from mps_study.pipelines.probing.units import ProbeUnit
from mps_study.probing.asking import Answer, Probed, ask_about, probe_sets
from mps_study.probing.config import Probing
from mps_study.probing.known import Colours, KnownSet

log = logging.getLogger(__name__)

Pixels = NDArray[np.float32]
OTHER_CLASSES = "the two models have other classes"


@dataclass(frozen=True)
class Asked:
    """Who is asked, about which sets of which images.

    Args:
        unit: what is asked of whom.
        card: of the asked model.
        sets: of the owner.
        searches: name -> search; its baseline is what lies behind a set.
        same_classes: whether the two models mean the same by a class's index.
    """

    unit: ProbeUnit
    card: ModelCard
    sets: StoredSets
    searches: Mapping[str, SearchConfig]
    same_classes: bool
    images: ImageFiles
    manifest: pd.DataFrame
    probing: Probing
    in_flight: int
    shard_size: int


def probes_of_unit(asked: Asked, opened: Callable[[], OnnxClassifier], so_far: ProbeStore) -> Iterator[ProbeShard]:
    """Yield the shards that are missing, in the order of the manifest, the last one marked complete.

    Raises:
        ValueError: the ONNX file is not the one that the card describes.
        UnreadError: bytes of some images cannot be had; all others have their answers.
    """
    unit, manifest = asked.unit, asked.manifest
    done = so_far.images(unit.asked, unit.mark.digest)
    rows = manifest[~manifest["image"].isin(done)]
    todo = list(zip(rows["image"].astype(str), rows["file"].astype(str), strict=True))
    reader = Reader(asked.images, todo, dict(zip(rows["image"], rows["sha256"], strict=True)))
    position = {image: i for i, image in enumerate(manifest["image"])}
    found: Iterator[ProbeRecord] = iter(())
    made: dict[str, str] = {}
    if todo:
        classifier = opened()
        made = made_with(classifier)
        found = _own(asked, classifier, reader) if unit.own else _cross(asked, classifier, reader)
    with progress_bar(len(manifest), unit.name, done=len(done)) as bar:
        for pack in packed(found, asked.shard_size, bar):
            records = list(pack.records)
            if pack.last:
                records += [ProbeRecord(image, failed=reason) for image, reason in reader.failed.items()]
            records.sort(key=lambda record: position[record.key])
            first = position[records[0].key] if records else len(position)
            complete = pack.last and not reader.unread
            yield ProbeShard(unit.asked, unit.mark.digest, unit.mark.facts, first, records, complete, made)
    reader.check(kedro_run("probing", model=unit.asked))


def _own(asked: Asked, classifier: OnnxClassifier, reader: Reader) -> Iterator[ProbeRecord]:
    """The model about its own sets: the whole image, each condition, parts of the sets."""
    waiting: deque[tuple[str, Pixels, list[StoredSet]]] = deque()
    preprocessing, probing = asked.card.preprocessing, asked.probing
    colours, behind = _colours(preprocessing), _behind(asked)
    others = _Others(asked) if "another_photograph" in probing.conditions else None

    def sets() -> Iterator[KnownSet]:
        for image, pixels in pixels_of(reader, preprocessing, reader.failed):
            stored = list(asked.sets.first(image))
            waiting.append((image, classifier.logits(pixels[None])[0], stored))
            another = others.beside(image) if others else None
            for one in stored:
                if one.mask is not None:
                    picture = behind(one.search, image, pixels)
                    tile = one.tile or probing.tile
                    yield KnownSet(image, picture, one.mask, one.label, tile, colours, probing.seed, another)

    answered = probe_sets(sets(), classifier, probing.conditions, probing.repetitions, probing.subsets, asked.in_flight)
    yield from _gathered(waiting, answered, classifier, asked)


def _gathered(
    waiting: deque[tuple[str, Pixels, list[StoredSet]]],
    answered: Iterator[Probed],
    classifier: OnnxClassifier,
    asked: Asked,
) -> Iterator[ProbeRecord]:
    """What was said of the sets of one image, image by image; those without a set keep a row that says so."""
    found: list[Probed] = []

    def full() -> bool:
        return bool(waiting) and len(found) == sum(one.mask is not None for one in waiting[0][2])

    for each in answered:
        while full():
            yield _own_record(*waiting.popleft(), found, classifier, asked.probing)
            found = []
        found.append(each)
    while full():
        yield _own_record(*waiting.popleft(), found, classifier, asked.probing)
        found = []


def _own_record(
    image: str,
    logits: Pixels,
    stored: list[StoredSet],
    found: list[Probed],
    classifier: OnnxClassifier,
    probing: Probing,
) -> ProbeRecord:
    reply, answers = classifier.head.reply(logits[None]), iter(found)
    probes: list[dict[str, Any]] = []
    subsets: list[dict[str, Any]] = []
    for one in stored:
        about = {"search": one.search, "share": one.share}
        if one.mask is None:
            probes += [about | _row(name, 0, None, one) for name in probing.conditions]
            subsets += [about | {"missing": one.missing}] if probing.subsets else []
            continue
        probed = next(answers)
        probes += [
            about | _row(each.condition, each.repetition, each.answer, one, each.missing) for each in probed.probes
        ]
        if probed.subsets is not None:
            parts = probed.subsets
            area = None if parts.missing else parts.area
            subsets.append(about | {
                "tiles": parts.tiles, "way": parts.way, "counts": list(parts.counts), "whole": parts.whole,
                "curve": list(parts.curve), "area": area, "evaluations": parts.evaluations, "missing": parts.missing,
            })  # fmt: skip
    evaluations = 1 + sum(each.evaluations for each in found)
    label, confidence = int(reply.labels[0]), float(reply.confidences[0])
    return ProbeRecord(image, logits, label, confidence, probes, subsets, evaluations)


def _cross(asked: Asked, classifier: OnnxClassifier, reader: Reader) -> Iterator[ProbeRecord]:
    """The model about another one's sets, each where it lies in the source image."""
    waiting: deque[tuple[str, list[StoredSet]]] = deque()
    preprocessing, behind = asked.card.preprocessing, _behind(asked)
    sizes = asked.manifest[["image", "width", "height"]].itertuples(index=False, name=None)
    views = {str(image): preprocessing.view(int(width), int(height)) for image, width, height in sizes}

    def questions() -> Iterator[tuple[Picture, list[NDArray[np.bool_]], int]]:
        for image, pixels in pixels_of(reader, preprocessing, reader.failed):
            stored = list(asked.sets.at_floors(image))
            waiting.append((image, stored))
            for one in stored if asked.same_classes else ():
                if one.mask is not None:
                    mask = carried(one.mask, one.view, views[image], preprocessing.size)
                    yield behind(one.search, image, pixels), [mask], one.label

    answers = ask_about(questions(), classifier, asked.in_flight)
    empty = "" if asked.same_classes else OTHER_CLASSES
    said: list[Answer] = []

    def needed() -> int:
        return sum(one.mask is not None for one in waiting[0][1]) if asked.same_classes else 0

    while True:
        (answer,) = next(answers, (None,))
        if answer is not None:
            said.append(answer)
        while waiting and len(said) >= needed():
            image, stored = waiting.popleft()
            answered = iter(said)
            probes = [
                {"search": one.search, "share": one.share}
                | _row("cross", 0, None if one.mask is None or empty else next(answered), one, empty)
                for one in stored
            ]
            yield ProbeRecord(image, probes=probes, evaluations=len(said))
            said = []
        if answer is None:
            return


def _row(condition: str, repetition: int, answer: Answer | None, one: StoredSet, missing: str = "") -> dict[str, Any]:
    row: dict[str, Any] = {
        "condition": condition,
        "repetition": repetition,
        "label": None,
        "confidence": None,
        "passes": None,
    }
    if answer is not None:
        sure = None if np.isnan(answer.confidence) else answer.confidence
        row |= {"label": answer.label, "confidence": sure, "passes": one.passes(answer.label, answer.confidence)}
    return row | {"missing": one.missing or missing}


def _behind(asked: Asked) -> Callable[[str, str, Pixels], Picture]:
    """(search, image, pixels) -> the image with the search's baseline."""
    given = {
        name: baseline_image(asked.card.preprocessing, baseline_bytes(search))
        for name, search in asked.searches.items()
    }

    def behind(name: str, image: str, pixels: Pixels) -> Picture:
        search = asked.searches[name]
        return baseline_picture(pixels, search.baseline, Surroundings(image, search.seed, given[name]))

    return behind


def _colours(preprocessing: Preprocessing) -> Colours:
    """Black and white as the model is given them."""
    mean, std = (np.array(each, np.float32)[:, None, None] for each in (preprocessing.mean, preprocessing.std))
    white = ((np.float32(preprocessing.scale) - mean) / std).astype(np.float32)
    return Colours((-mean / std).astype(np.float32), white, preprocessing.channels == "bgr")


class _Others:
    """Of each image the one that follows it in the sample and can be shown, as the model sees it."""

    def __init__(self, asked: Asked) -> None:
        rows = asked.manifest[["image", "file", "sha256"]].astype(str)
        self._files = list(rows.itertuples(index=False, name=None))
        self._position = {image: i for i, (image, _, _) in enumerate(self._files)}
        self._images, self._preprocessing = asked.images, asked.card.preprocessing

    def beside(self, image: str) -> Pixels | None:
        """(c, h, w); None where the sample has no other image that can be shown.

        What a disk or network does not give now is an error: the next one in its place would be another answer.
        """
        place = self._position[image]
        for other, file, sha256 in self._files[place + 1 :] + self._files[:place]:
            content = self._images[file]
            if not is_whole(content, sha256):
                continue
            try:
                return self._preprocessing.pixels(decode(content, other))
            except (DecodingError, ValueError):
                continue
        return None
