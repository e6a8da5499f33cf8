"""Nodes of the verification pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.common.searches import unit_name
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.store import RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.pipelines.metrics.measures import fingerprints_of
from mps_study.pipelines.verification.asking import Row, verify_model
from mps_study.project.parameters import Extraction
from mps_study.project.searches import choose_searches, searches_of

log = logging.getLogger(__name__)

TEXTS = dict.fromkeys(("image", "model", "search", "what"), "string")
COLUMNS = TEXTS | {"holds": "boolean", "reason": "string"}


def verify_study(
    roster: Roster,
    compared: list[str],
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: dict[str, Any],
    searches: dict[str, Any],
    only_search: str | None,
    extraction: Extraction,
    mps_records: RecordStore,
    failures: Failures,
) -> pd.DataFrame:
    """The `verification` frame: every set and certificate of the study's records, asked again from the store alone."""
    configs = choose_searches(searches_of(search, searches), only_search)
    marks = fingerprints_of(roster.choose(model, compared), model_cards, configs, manifest, mps_records, failures)
    units = {unit_name(name, which): (name, which) for which, found in marks.items() for name in found}

    def rows() -> Iterator[Row]:
        for name, which in with_progress(units.values(), len(units), "verifying", "model"):
            records = mps_records.by_image({name: marks[which][name]})
            yield from verify_model(
                model_cards[name], onnx_models[name], images, manifest, which, configs[which], extraction, records
            )

    frame = pd.DataFrame(rows(), columns=list(COLUMNS)).astype(COLUMNS)
    wrong = frame[~frame["holds"]]
    said = f"{int(frame['holds'].sum())} of {len(frame)} questions about classes, sets and certificates hold"
    if wrong.empty:
        log.info("verification of %d models and searches: %s", len(units), said)
    else:
        image, of, which, what, reason = wrong.iloc[0][["image", "model", "search", "what", "reason"]]
        first = f"{unit_name(of, which)}, {image}, {what}: {reason}"
        log.warning("verification of %d models and searches: %s; first: %s", len(units), said, first)
    return frame
