"""Nodes of the mps_extraction pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.commands import kedro_run
from mps_study.common.searches import unit_name
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.maps.store import MapStore
from mps_study.datasets.records.store import RecordShard, RecordStore
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.mps.types import FAILED
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import fingerprint
from mps_study.pipelines.maps import maps_of
from mps_study.pipelines.mps_extraction.extraction import extract_model
from mps_study.pipelines.units import unit_by_unit
from mps_study.project.parameters import Extraction
from mps_study.project.searches import choose_searches, searches_of

log = logging.getLogger(__name__)


STAGE = "mps_extraction"
Step = tuple[RecordShard, dict[str, ModelCard], Failures]


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
    extraction: Extraction,
    saliency_maps: MapStore,
    so_far: RecordStore,
    claims: Claims,
    failed_before: Failures,
) -> Iterator[Step]:
    """Shards of records, cards and failures, search by search and model by model, the study's own search first.

    A model and search that fails, or that another process works on, is noted; the others go on. Those that were held
    by another process get a second turn at the end.

    Raises:
        ClickException: nothing at all has its records.
    """
    configs = choose_searches(searches_of(search, searches), only_search)
    units = {unit_name(name, which): (name, which) for which in configs for name in roster.choose(model, compared)}

    def searched(unit: str) -> Iterator[Step]:
        name, which = units[unit]
        ensure_ready(name, failed_before, claims)
        if name not in model_cards or name not in onnx_models:
            raise FileNotFoundError(f"it has not been exported; run `{kedro_run('model_export', model=name)}` first")
        card = model_cards[name]
        maps = maps_of(card, configs[which], manifest, saliency_maps, failed_before, claims)
        mark = fingerprint(card, configs[which], manifest)
        if so_far.is_complete(name, mark.digest):
            log.info("%s: all %d records are there (%s)", unit, len(manifest), mark.digest)
            last = RecordShard(name, mark.digest, mark.facts, len(manifest), [], {}, complete=True, search=which)
            yield last, {}, {}
        else:
            found = extract_model(
                card, onnx_models[name], images, manifest, configs[which], extraction, mark, so_far, which, maps
            )
            for shard, card in found:
                yield shard, {name: card}, {}
        worst = too_many_failed(so_far.read(name, mark.digest), extraction.max_failed_share)
        yield _no_records(), {}, {(STAGE, unit): worst}

    yield from unit_by_unit(STAGE, units, claims, searched, lambda failures: (_no_records(), {}, failures))


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


def _no_records() -> RecordShard:
    """What comes with the note of a failure: a shard that is not written."""
    return RecordShard("", "", {}, 0, [], {})
