"""Nodes of the mps_extraction pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.compute.parts import part_of
from mps_study.compute.runners import runner_for
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.maps.store import MapStore
from mps_study.datasets.records.store import RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.pipelines.failing import unless_all_failed
from mps_study.pipelines.mps_extraction.extraction import extract
from mps_study.pipelines.mps_extraction.model_search import Step
from mps_study.pipelines.mps_extraction.study import STAGE, Study
from mps_study.project.parameters import Extraction
from mps_study.project.searches import choose_searches, searches_of


def extract_records(
    roster: Roster,
    compared: list[str],
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    only_search: str | None,
    shard: str | None,
    extraction: Extraction,
    saliency_maps: MapStore,
    so_far: RecordStore,
    claims: Claims,
    failed_before: Failures,
) -> Iterator[Step]:
    """Shards of records, cards and failures, search by search and model by model, the study's own search first.

    Raises:
        ClickException: nothing at all has its records, or a cluster was lost.
    """
    configs = choose_searches(searches_of(search, searches), only_search)
    models = list(roster.choose(model, compared))
    study = Study(
        models, configs, onnx_models, model_cards, images, manifest, extraction, saliency_maps, so_far, claims,
        failed_before, part_of(shard),
    )  # fmt: skip
    with runner_for(extraction.asking, extraction.cluster, extraction.cluster_workers) as runner:
        failures = yield from extract(study, runner)
    unless_all_failed(STAGE, study.units, failures)
