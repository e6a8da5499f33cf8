"""Nodes of the saliency pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.commands import kedro_run
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.maps.store import MapShard, MapStore
from mps_study.datasets.maps.wanted import method_of
from mps_study.datasets.models import Checkpoint
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.failing import ensure_ready, held_of, under_claim, unless_all_failed
from mps_study.pipelines.fingerprint import maps_fingerprint
from mps_study.pipelines.maps import STAGE, maps_unit
from mps_study.pipelines.saliency.making import Asked, maps_of_model
from mps_study.project.parameters import Extraction
from mps_study.project.searches import choose_searches, searches_of

log = logging.getLogger(__name__)

Step = tuple[MapShard, Failures]


def make_maps(
    roster: Roster,
    compared: list[str],
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    checkpoints: dict[str, Checkpoint],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    only_search: str | None,
    extraction: Extraction,
    so_far: MapStore,
    claims: Claims,
    failed_before: Failures,
) -> Iterator[Step]:
    """Shards of maps and failures, of each model and each method that a search ranks pixels by; none without any.

    A model and method that fails, or that another process works on, is noted; the others go on.

    Raises:
        ClickException: no map at all could be made.
    """
    chosen = roster.choose(model, compared)
    units: dict[str, tuple[str, SearchConfig]] = {}
    for config in choose_searches(searches_of(search, searches), only_search).values():
        for name in chosen if method_of(config) else ():
            mark = maps_fingerprint(model_cards[name], config, manifest) if name in model_cards else None
            units.setdefault(maps_unit(name, config, mark), (name, config))

    def made(unit: str, _: Path) -> Iterator[Step]:
        name, config = units[unit]
        ensure_ready(name, failed_before, claims)
        if name not in model_cards or name not in onnx_models:
            raise FileNotFoundError(f"it has not been exported; run `{kedro_run('model_export', model=name)}` first")
        mark = maps_fingerprint(model_cards[name], config, manifest)
        if so_far.is_complete(name, mark.digest):
            log.info("%s: all %d maps are there", unit, len(manifest))
        else:
            checkpoint = checkpoints[name].path if name in checkpoints else None
            asked = Asked(unit, chosen[name], model_cards[name], onnx_models[name], checkpoint)
            for shard in maps_of_model(asked, images, manifest, config, extraction, mark, so_far):
                yield shard, {}
        yield _no_maps(), {(STAGE, unit): None}

    failures: dict[tuple[str, str], str | None] = {}
    waiting = list(units)
    for _ in range(2):  # those that another process held get a second turn at the end
        for unit in waiting:
            work = partial(made, unit)
            failures[STAGE, unit] = yield from under_claim(claims, STAGE, unit, work, lambda n: (_no_maps(), n))
        waiting = [unit for _, unit in held_of(failures)]
    yield _no_maps(), held_of(failures)
    unless_all_failed(STAGE, units, failures)


def _no_maps() -> MapShard:
    """What comes with the note of a failure: a shard that is not written."""
    return MapShard("", "", {}, 0, [])
