"""What an extraction reads of a study: who may work on what, and what of it is still to be done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mps_study.common.commands import kedro_run
from mps_study.common.searches import part_name, unit_name
from mps_study.compute.jobs import Job, Work
from mps_study.compute.parts import Part
from mps_study.compute.reading import Reader
from mps_study.compute.units import seconds_of_an_image
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.maps.store import MapStore
from mps_study.datasets.records.store import RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import files_of
from mps_study.mps.common.choices import kind_of
from mps_study.mps.config import SearchConfig
from mps_study.mps.strategies import STRATEGIES
from mps_study.mps.types import FAILED
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import Fingerprint, baseline_bytes, fingerprint
from mps_study.pipelines.maps import NO_MAPS, Maps, maps_of
from mps_study.pipelines.mps_extraction.model_search import ModelSearch
from mps_study.pipelines.targets import targets_of
from mps_study.project.parameters import Extraction

log = logging.getLogger(__name__)

STAGE = "mps_extraction"


@dataclass(frozen=True)
class Study:
    """The models, searches and images that are asked for, by the names of the datasets and parameters."""

    models: list[str]
    configs: dict[str, SearchConfig]
    onnx_models: dict[str, Path]
    model_cards: dict[str, ModelCard]
    images: ImageFiles
    manifest: pd.DataFrame
    extraction: Extraction
    maps: MapStore
    store: RecordStore
    claims: Claims
    failed_before: Failures
    part: Part | None = None

    @property
    def units(self) -> dict[str, tuple[str, str]]:
        """Name -> model and search, search by search; of a part, its name says which."""
        both = [(model, search) for search in self.configs for model in self.models]
        return {unit_name(*each) if self.part is None else part_name(*each, self.part): each for each in both}

    def claim(self, unit: str) -> AbstractContextManager[Path]:
        """Hold a model and search, or the part of it: parts beside other parts, but never beside the whole.

        Raises:
            ClaimedError: another process holds it.
        """
        model, search = self.units[unit]
        whole, parts = f"{STAGE}/{unit_name(model, search)}", f"{STAGE}/{model}, {search}"
        if self.part is None:
            return self.claims.claim_whole(whole, parts)
        return self.claims.claim_part(whole, parts, self.part.number, self.part.of)

    def begin(self, unit: str) -> ModelSearch:
        """What is still to be done of a unit; no work if all its images have their records.

        Raises:
            ClaimedError: another process trains or exports the model, or makes its maps.
            FileNotFoundError: the model was not exported.
            ValueError: an earlier stage failed for the model, its classes do not fit the search, or maps by which the
                search ranks pixels are missing or do not fit.
        """
        model, which = self.units[unit]
        ensure_ready(model, self.failed_before, self.claims)
        if model not in self.model_cards or model not in self.onnx_models:
            raise FileNotFoundError(f"it has not been exported; run `{kedro_run('model_export', model=model)}` first")
        card, search = self.model_cards[model], self.configs[which]
        mark = fingerprint(card, search, self.manifest)
        mine = self.manifest if self.part is None else self.manifest.iloc[self.part.number - 1 :: self.part.of]
        done = set(mine["image"]) if self.store.is_complete(model, mark.digest) else self._done(model, mark)
        todo = mine[~mine["image"].isin(done)]
        job = Job(unit, card, self.onnx_models[model], search, self.extraction.asking, baseline_bytes(search))
        maps = self._maps(card, search) if len(todo) else NO_MAPS
        reader = self._reader(todo, maps.missing)
        seconds = self._seconds(job, mark) if len(todo) else 0
        work = Work(job, len(todo), reader, self._targets(job, len(todo)), seconds, maps.maps)
        return ModelSearch(
            work, which, mark, self.manifest, len(mine) - len(todo), self.part, self.extraction.shard_size, maps.costs
        )  # fmt: skip

    def is_whole(self, search: ModelSearch) -> bool:
        """Whether the model has all its records. Of parts, whoever comes last finds those of all others saved."""
        if search.work.reader.unread:
            return False
        return self.part is None or set(self.manifest["image"]) <= self._done(search.card.name, search.mark)

    def notes(self, search: ModelSearch) -> dict[tuple[str, str], str | None]:
        """What is noted of a unit that has ended: too many failed images, or that it has not failed.

        Where the whole of it was asked for, no earlier note of a part stands.
        """
        unit, (model, which) = search.work.job.name, self.units[search.work.job.name]
        records = self.store.read(model, search.mark.digest)
        notes = {(STAGE, unit): too_many_failed(records, self.extraction.max_failed_share)}
        if self.part is None:
            parts = (name for stage, name in self.failed_before if stage == STAGE)
            notes |= {(STAGE, name): None for name in parts if name.startswith(f"{model}, {which}, ")}
        return notes

    def _maps(self, card: ModelCard, search: SearchConfig) -> Maps:
        return maps_of(card, search, self.manifest, self.maps, self.failed_before, self.claims)

    def _reader(self, todo: pd.DataFrame, lost: Mapping[str, str]) -> Reader:
        """Of these rows of the manifest; `lost`: image -> why it cannot be searched, though it could be read."""
        files = zip(todo["image"].astype(str), todo["file"].astype(str), strict=True)
        wanted = [(image, file) for image, file in files if image not in lost]
        reader = Reader(self.images, wanted, dict(zip(todo["image"], todo["sha256"], strict=True)))
        reader.failed |= {image: lost[image] for image in todo["image"].astype(str) if image in lost}
        return reader

    def _done(self, model: str, mark: Fingerprint) -> set[str]:
        return self.store.images(model, mark.digest)

    def _targets(self, job: Job, images: int) -> int | Mapping[str, int] | None:
        targets = targets_of(job.card, job.search, self.manifest)
        if images and isinstance(targets, dict) and (without := len(self.manifest) - len(targets)):
            log.info("%s: %d images have no label; their sets keep the model's top-1", job.name, without)
        return targets

    def _seconds(self, job: Job, mark: Fingerprint) -> float:
        """What an image is expected to take, by the records that are there and by what was measured anywhere."""
        known = self.store.read(job.card.name, mark.digest, ["evaluations"])["evaluations"]
        evaluations = float(np.mean(known)) if len(known) else None
        rate = max((each.evaluations_per_second for each in job.card.throughput.values()), default=None)
        size = sum(file.stat().st_size for file in files_of(job.model))
        return seconds_of_an_image(kind_of(job.search.strategy, STRATEGIES), evaluations, rate, size)


def too_many_failed(records: pd.DataFrame, max_share: float) -> str | None:
    """A sentence if more than this share of a model's records have the status `failed`; None otherwise."""
    failed = records[records["status"] == FAILED]
    if len(failed) <= max_share * len(records):
        return None
    image, reason = failed.iloc[0][["image", "reason"]]
    return (
        f"{len(failed)} of {len(records)} images failed, a larger share than extraction.max_failed_share "
        f"({max_share:g}); the first is {image}: {reason}"
    )
