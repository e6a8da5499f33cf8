"""Reads the record store for the metrics: the records that belong to this study, and masks one image at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from mps_study.compare.overlap import Seen
from mps_study.datasets.failures import Failures
from mps_study.datasets.records import RecordStore, unpack_mask
from mps_study.models.card import ModelCard
from mps_study.models.roster import Roster
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import FOUND
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import fingerprint

log = logging.getLogger(__name__)
SEEN = ("status", "view", "height", "width", "mask")
"""Columns of the record store that overlaps are made of."""


def fingerprints_of(
    roster: Roster,
    cards: Mapping[str, ModelCard],
    search: SearchConfig,
    manifest: pd.DataFrame,
    store: RecordStore,
    failures: Failures,
) -> dict[str, str]:
    """Model -> fingerprint of its records under this configuration; models without complete records are left out."""
    marks = {}
    for name in roster.root:
        try:
            ensure_ready(name, failures)
        except ValueError as error:
            log.warning("%s is left out: %s", name, error)
            continue
        digest = fingerprint(cards[name], search, manifest).digest if name in cards else ""
        if digest and store.is_complete(name, digest):
            marks[name] = digest
        else:
            log.warning(
                "%s has no complete records under this configuration and is left out; "
                "run `kedro run --pipeline mps_extraction --params model=%s`",
                name,
                name,
            )
    if not marks:
        raise ValueError(
            "no model has complete records under this configuration; "
            "run `kedro run --pipeline mps_extraction` (with the same --env and --params) first"
        )
    return marks


def records_of(store: RecordStore, marks: Mapping[str, str], columns: Sequence[str]) -> pd.DataFrame:
    """These columns of the records of all models, one model below the other."""
    frames = [store.read(model, digest, columns) for model, digest in marks.items()]
    return pd.concat(frames, ignore_index=True)


def masks_of(store: RecordStore, marks: Mapping[str, str]) -> Callable[[str], Mapping[str, Seen]]:
    """Image -> model -> mask and view of the records with status `found`, read when they are asked for."""
    by_image = store.by_image(marks)

    def masks(image: str) -> dict[str, Seen]:
        rows = {model: by_image.record(image, model, SEEN) for model in marks}
        return {model: _seen(row) for model, row in rows.items() if row is not None and row["status"] == FOUND}

    return masks


def _seen(row: Mapping[str, Any]) -> Seen:
    top, left, bottom, right = row["view"]
    return Seen(unpack_mask(row["mask"], int(row["height"]), int(row["width"])), (top, left, bottom, right))
