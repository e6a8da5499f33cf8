"""Nodes of the verification pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records import RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.metrics.measures import fingerprints_of
from mps_study.pipelines.verification.asking import Row, verify_model
from mps_study.project.parameters import Extraction

log = logging.getLogger(__name__)

COLUMNS = {"image": "string", "model": "string", "what": "string", "holds": "boolean", "reason": "string"}


def verify_study(
    roster: Roster,
    compared: list[str],
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: SearchConfig,
    extraction: Extraction,
    mps_records: RecordStore,
    failures: Failures,
) -> pd.DataFrame:
    """The `verification` frame: every set and certificate of the study's records, asked again from the store alone."""
    marks = fingerprints_of(roster.choose(model, compared), model_cards, search, manifest, mps_records, failures)

    def rows() -> Iterator[Row]:
        for name, mark in with_progress(marks.items(), len(marks), "verifying", "model"):
            records = mps_records.by_image({name: mark})
            yield from verify_model(model_cards[name], onnx_models[name], images, manifest, search, extraction, records)

    frame = pd.DataFrame(rows(), columns=list(COLUMNS)).astype(COLUMNS)
    wrong = frame[~frame["holds"]]
    said = f"{int(frame['holds'].sum())} of {len(frame)} questions about classes, sets and certificates hold"
    if wrong.empty:
        log.info("verification of %d models: %s", len(marks), said)
    else:
        image, of, what, reason = wrong.iloc[0][["image", "model", "what", "reason"]]
        log.warning("verification of %d models: %s; first: %s, %s, %s: %s", len(marks), said, of, image, what, reason)
    return frame
