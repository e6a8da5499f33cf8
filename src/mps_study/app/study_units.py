"""A study as it stands: its models and searches, with what of each is known before a run. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.commands import THIS_RUN
from mps_study.compute.parts import Part, part_of
from mps_study.datasets.maps.wanted import method_of
from mps_study.datasets.samples import REQUEST
from mps_study.images.candidates import SourceError
from mps_study.images.sampling import HALVES
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.fingerprint import Fingerprint, fingerprint, maps_fingerprint
from mps_study.project.labels import StudyLabels
from mps_study.project.parameters import DataSampling, Extraction
from mps_study.project.searches import choose_searches, searches_of
from mps_study.project.study_models import Study, project_here


@dataclass(frozen=True)
class StudyUnit:
    """A model and a search of a study.

    Args:
        entry: the model's, of the roster.
        config: the search.
        card: None if the model is not exported, or its export is out of date.
        mark: fingerprint of its records; None before model and sample are there.
        maps: fingerprint of the maps that it ranks pixels by, where the study makes them; None likewise.
    """

    model: str
    search: str
    entry: ModelEntry
    config: SearchConfig
    card: ModelCard | None
    mark: Fingerprint | None
    maps: Fingerprint | None = None


@dataclass(frozen=True)
class StudyNow:
    """A study and its units, the study's own search first, as a run goes through them.

    Args:
        manifest: one row an image; None while the sample is not drawn, or was drawn otherwise.
        images: of the sample, drawn or not.
        part: the images that a run is asked to search (`shard`); None for all.
    """

    study: Study
    units: list[StudyUnit]
    manifest: pd.DataFrame | None
    images: int
    part: Part | None = None

    @property
    def extraction(self) -> Extraction:
        """How the study is searched."""
        return Extraction.model_validate(self.study.parameters["extraction"])

    @property
    def positions(self) -> list[int]:
        """Of the images that are asked for, in the manifest."""
        return [i for i in range(self.images) if self.part is None or self.part.has(i)]

    @property
    def store(self) -> Path:
        """The folder of its records."""
        return self.study.folder("mps_records")


def study_now(env: str | None = None, params: Mapping[str, Any] | None = None) -> StudyNow:
    """The study of an environment, with parameters as `--params` lays them over conf.

    Raises:
        ParameterError: a parameter is not valid.
        ValueError: there is no project here; a search asks for a class that a model does not have.
    """
    THIS_RUN.begin(env, params or {})
    study = Study(project_here(), env, params or {})
    given = study.parameters
    with chdir(study.root):  # relative paths of conf are the project's
        sampling = DataSampling.model_validate(given["data_sampling"])
        model = None if given.get("model") is None else str(given["model"])
        roster = Roster(study.roster)
        chosen = roster.choose(model, study.compared)
        manifest = _drawn(study, StudyLabels(sampling, roster, model, study.compared))
        only = given.get("only_search")
        configs = choose_searches(searches_of(given["search"], given["searches"]), None if only is None else str(only))
        cards = {name: study.current_card(name) for name in chosen}
        units = [
            StudyUnit(name, which, entry, config, cards[name], *_marks(cards[name], config, manifest))
            for which, config in configs.items()
            for name, entry in chosen.items()
        ]
    wanted = sum(draw.n for half in HALVES if (draw := getattr(sampling, half)) is not None)
    images = wanted if manifest is None else len(manifest)
    return StudyNow(study, units, manifest, images, part_of(given.get("shard")))


def _drawn(study: Study, labels: StudyLabels) -> pd.DataFrame | None:
    """The manifest, if it was drawn for what is asked for now; its images need not be here."""
    manifest = study.dataset("sample_so_far").load().manifest()
    try:
        request = labels.sample_request()
    except SourceError:
        return None
    return manifest if not manifest.empty and manifest.attrs.get(REQUEST) == request else None


def _marks(
    card: ModelCard | None, config: SearchConfig, manifest: pd.DataFrame | None
) -> tuple[Fingerprint | None, Fingerprint | None]:
    """Of the records, and of the maps."""
    if card is None or manifest is None:
        return None, None
    maps = maps_fingerprint(card, config, manifest) if method_of(config) else None
    return fingerprint(card, config, manifest), maps
