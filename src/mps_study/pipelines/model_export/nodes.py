"""Nodes of the model_export pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.models import Checkpoint
from mps_study.images.decoding import decode
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import Exported, export_request
from mps_study.models.roster.roster import Roster
from mps_study.pipelines.failing import ensure_ready, held_of, under_claim, unless_all_failed
from mps_study.project.parameters import ModelExport

log = logging.getLogger(__name__)
STAGE = "model_export"
Step = tuple[dict[str, Exported], dict[str, ModelCard], Failures]


def export_models(
    roster: Roster,
    compared: list[str],
    model: str | None,
    images: ImageFiles,
    manifest: pd.DataFrame,
    checkpoints: dict[str, Checkpoint],
    model_export: ModelExport,
    so_far: dict[str, ModelCard],
    claims: Claims,
    failed_before: Failures,
) -> Iterator[Step]:
    """One ONNX file and card a model; those that are up to date are left alone.

    A model that fails is noted, and the others go on.

    Raises:
        ClickException: no model at all could be exported.
    """
    chosen = roster.choose(model, compared)
    paths = {name: checkpoints[name].path if name in checkpoints else None for name in chosen}
    stale = [
        name
        for name, entry in chosen.items()
        if name not in so_far or so_far[name].request != export_request(entry, paths[name], model_export.tolerance)
    ]
    failures: dict[tuple[str, str], str | None] = {(STAGE, name): None for name in chosen if name not in stale}
    yield {}, {}, failures
    if not stale:
        return
    from mps_study.models.export.export import export_model  # torch takes seconds

    rows = manifest.head(model_export.parity_images)
    pictures = [decode(images[f], i) for f, i in zip(rows["file"], rows["image"], strict=True)]

    def exported(name: str, folder: Path) -> Iterator[Step]:
        ensure_ready(name, failed_before, claims, ("fine_tuning",))
        trained = checkpoints[name].facts if name in checkpoints else {}
        found = export_model(
            name,
            chosen[name],
            pictures,
            folder,
            paths[name],
            model_export.tolerance,
            trained.get("holdout_accuracy"),
            trained.get("class_names"),
        )
        yield {name: found}, {name: found.card}, {(STAGE, name): None}
        if parity := found.card.parity:
            log.info("%s: agrees with torch on %d images to %.1g", name, parity.images, parity.max_difference)

    for name in with_progress(stale, len(stale), "exporting", "model"):
        work = partial(exported, name)
        failures[STAGE, name] = yield from under_claim(claims, STAGE, name, work, lambda note: ({}, {}, note))
    yield {}, {}, held_of(failures)
    unless_all_failed(STAGE, chosen, failures)
