"""Nodes of the model_export pipeline."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mps_study.datasets.images import ImageFiles
from mps_study.datasets.models import Checkpoint
from mps_study.images.decoding import decode
from mps_study.models.card import ModelCard
from mps_study.models.export import Exported, export_model, export_request
from mps_study.models.roster import Roster
from mps_study.parameters import ModelExport
from mps_study.progress import with_progress

log = logging.getLogger(__name__)


def export_models(
    roster: Roster,
    model: str | None,
    images: ImageFiles,
    manifest: pd.DataFrame,
    checkpoints: dict[str, Checkpoint],
    model_export: ModelExport,
    so_far: dict[str, ModelCard],
) -> Iterator[tuple[dict[str, Exported], dict[str, ModelCard]]]:
    """One ONNX file and card a model; those that are up to date are left alone."""
    chosen = roster.choose(model)
    paths = {name: checkpoints[name].path if name in checkpoints else None for name in chosen}
    stale = [
        name
        for name, entry in chosen.items()
        if name not in so_far or so_far[name].request != export_request(entry, paths[name], model_export.tolerance)
    ]
    rows = manifest.head(model_export.parity_images)
    pictures = [decode(images[f], i) for f, i in zip(rows["file"], rows["image"], strict=True)]
    yield {}, {}
    for name in with_progress(stale, len(stale), "exporting"):
        with tempfile.TemporaryDirectory() as folder:
            exported = export_model(
                name,
                chosen[name],
                pictures,
                Path(folder),
                paths[name],
                model_export.tolerance,
                checkpoints[name].facts["holdout_accuracy"] if name in checkpoints else None,
            )
            yield {name: exported}, {name: exported.card}
        parity = exported.card.parity
        if parity:
            log.info(
                "%s: agrees with torch on %d images to %.1g",
                name,
                parity.images,
                parity.max_difference,
            )
