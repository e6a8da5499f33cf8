"""Nodes of the mps_extraction pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records import RecordShard, RecordStore
from mps_study.models.card import ModelCard
from mps_study.models.roster import Roster
from mps_study.mps.config import SearchConfig
from mps_study.parameters import Extraction
from mps_study.pipelines.fingerprint import fingerprint
from mps_study.pipelines.mps_extraction.extraction import extract_model

log = logging.getLogger(__name__)


def extract_records(
    roster: Roster,
    model: str | None,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    images: ImageFiles,
    manifest: pd.DataFrame,
    search: SearchConfig,
    extraction: Extraction,
    so_far: RecordStore,
) -> Iterator[tuple[RecordShard, dict[str, ModelCard]]]:
    """Shards of records and cards, model by model. A model that fails is reported at the end; the others go on.

    Raises:
        RuntimeError: after all models have had their turn, if any failed.
    """
    chosen = roster.choose(model)
    failures: dict[str, str] = {}
    complete: RecordShard | None = None
    for name in chosen:
        if name not in model_cards or name not in onnx_models:
            failures[name] = "it has not been exported; run `kedro run --pipeline model_export` first"
            continue
        card = model_cards[name]
        mark = fingerprint(card, search, manifest)
        if so_far.is_complete(name, mark.digest):
            log.info("%s: all %d records are there (%s)", name, len(manifest), mark.digest)
            complete = RecordShard(name, mark.digest, mark.facts, len(manifest), [], {}, complete=True)
            continue
        try:
            found = extract_model(card, onnx_models[name], images, manifest, search, extraction, mark, so_far)
            for shard, card in found:
                yield shard, {name: card}
        except Exception as error:
            log.exception("%s: the search failed; going on with the next model", name)
            failures[name] = f"{type(error).__name__}: {error}"
    if failures:
        lines = "\n".join(f"  {name}: {why}" for name, why in failures.items())
        raise RuntimeError(f"{len(failures)} of {len(chosen)} models have no records:\n{lines}")
    if complete:  # Kedro wants at least one output of a node
        yield complete, {}
