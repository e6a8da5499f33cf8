"""Nodes of the probing pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.cores import cores
from mps_study.compute.opening import open_classifier
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.probes.store import ProbeShard, ProbeStore
from mps_study.datasets.records.store import RecordStore
from mps_study.datasets.samples import named_classes
from mps_study.models.export.card import ModelCard, class_names
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.roster.roster import Roster
from mps_study.pipelines.failing import ensure_ready, held_of, under_claim, unless_all_failed
from mps_study.pipelines.metrics.measures import fingerprints_of
from mps_study.pipelines.probing.asking import Asked, probes_of_unit
from mps_study.pipelines.probing.frames import answers_of, probes_of, sub_explanations_of
from mps_study.pipelines.probing.sets import StoredSets
from mps_study.pipelines.probing.units import ProbeUnit, units_of
from mps_study.probing.config import Probing
from mps_study.project.parameters import Extraction
from mps_study.project.searches import searches_of

log = logging.getLogger(__name__)

STAGE = "probing"
Step = tuple[ProbeShard, Failures]


def probe_models(
    roster: Roster,
    compared: list[str],
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    probing: Probing,
    extraction: Extraction,
    mps_records: RecordStore,
    so_far: ProbeStore,
    claims: Claims,
    failed_before: Failures,
) -> Iterator[Step]:
    """Shards of answers, and failures: each model is asked about its own sets, and about those of all others.

    A unit that fails, or that another process works on, is noted; the others go on.

    Raises:
        ClickException: no model has records, or nothing at all could be asked.
    """
    configs = searches_of(search, searches)
    owners = list(roster.of_study(model, compared))
    marks = fingerprints_of(owners, model_cards, configs, manifest, mps_records, failed_before)
    chosen = [name for name in roster.choose(model, compared) if name in model_cards and name in onnx_models]
    units = {unit.name: unit for unit in units_of(chosen, marks, model_cards, probing, manifest)}
    names = {name: class_names(card, named_classes(manifest)) for name, card in model_cards.items()}
    opened = _Opened(onnx_models, model_cards, extraction)

    def asked(name: str, _: Path) -> Iterator[Step]:
        unit = units[name]
        ensure_ready(unit.asked, failed_before, claims)
        if so_far.is_complete(unit.asked, unit.mark.digest):
            log.info("%s: all %d answers are there", name, len(manifest))
        else:
            shares = {each: configs[each].minimum_confidence_threshold for each in unit.marks}
            sets = StoredSets(mps_records, unit.owner, unit.marks, shares)
            mine, theirs = model_cards[unit.asked], model_cards[unit.owner]
            alike = mine.classes == theirs.classes and names[unit.asked] == names[unit.owner]
            about = Asked(
                unit, mine, sets, {each: configs[each] for each in unit.marks}, alike, images, manifest, probing,
                extraction.in_flight, extraction.shard_size,
            )  # fmt: skip
            for shard in probes_of_unit(about, partial(opened, unit.asked), so_far):
                yield shard, {}
        yield _nothing(), {(STAGE, name): None}

    failures: dict[tuple[str, str], str | None] = {}
    waiting = list(units)
    for _ in range(2):  # those that another process held get a second turn at the end
        for name in waiting:
            work = partial(asked, name)
            failures[STAGE, name] = yield from under_claim(claims, STAGE, name, work, lambda note: (_nothing(), note))
        waiting = [name for _, name in held_of(failures)]
    yield _nothing(), held_of(failures)
    unless_all_failed(STAGE, units, failures)


class _Opened:
    """Model -> its classifier; the last one is kept, since units of one model come together."""

    def __init__(self, models: dict[str, Path], cards: dict[str, ModelCard], extraction: Extraction) -> None:
        self._models, self._cards, self._extraction = models, cards, extraction
        self._last: tuple[str, OnnxClassifier] | None = None

    def __call__(self, name: str) -> OnnxClassifier:
        if self._last is None or self._last[0] != name:
            asking = self._extraction.asking  # every question is asked alone: there is nothing to measure
            workers = asking.workers or cores()
            alone = replace(asking, batch_size=1, workers=workers, precision="fp32")
            self._last = name, open_classifier(self._cards[name], self._models[name], alone)[0]
        return self._last[1]


def collect_probes(
    roster: Roster,
    compared: list[str],
    model: str | None,
    model_cards: dict[str, ModelCard],
    manifest: pd.DataFrame,
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    probing: Probing,
    mps_records: RecordStore,
    probe_records: ProbeStore,
    failures: Failures,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The frames `answers`, `probes` and `sub_explanations`, of the units whose answers are all there."""
    configs = searches_of(search, searches)
    owners = list(roster.of_study(model, compared))
    marks = fingerprints_of(owners, model_cards, configs, manifest, mps_records, failures)
    there = [name for name in owners if name in model_cards]
    units = units_of(there, marks, model_cards, probing, manifest)
    done = [unit for unit in units if probe_records.is_complete(unit.asked, unit.mark.digest)]
    _say_missing([unit for unit in units if unit not in done])
    answers = answers_of(done, probe_records, manifest, model_cards)
    probes = probes_of(done, probe_records, manifest, model_cards, answers)
    return answers, probes, sub_explanations_of(done, probe_records, manifest, model_cards)


def _say_missing(units: list[ProbeUnit]) -> None:
    if units:
        log.warning("%d probing units have no complete answers and are left out; first: %s", len(units), units[0].name)


def _nothing() -> ProbeShard:
    """What comes with the note of a failure: a shard that is not written."""
    return ProbeShard("", "", {}, 0, [])
