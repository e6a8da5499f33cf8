"""Nodes of the metrics pipeline."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mps_study.compare.areas import READ as READ_FOR_AREAS
from mps_study.compare.areas import measure_areas
from mps_study.compare.more_sets import READ as READ_FOR_MORE_SETS
from mps_study.compare.more_sets import measure_more_sets
from mps_study.compare.overlap import measure_overlaps
from mps_study.compare.summary import summarise_models
from mps_study.datasets.failures import Failures
from mps_study.datasets.records import RecordStore
from mps_study.models.card import ModelCard
from mps_study.models.roster import Roster
from mps_study.mps.config import SearchConfig
from mps_study.parameters import Metrics
from mps_study.pipelines.metrics.measures import fingerprints_of, masks_of, records_of
from mps_study.progress import with_progress


def compute_areas(
    roster: Roster,
    model_cards: dict[str, ModelCard],
    search: SearchConfig,
    manifest: pd.DataFrame,
    mps_records: RecordStore,
    failures: Failures,
) -> pd.DataFrame:
    """The `areas` frame."""
    marks = fingerprints_of(roster, model_cards, search, manifest, mps_records, failures)
    architectures = {name: model_cards[name].architecture for name in marks}
    return measure_areas(records_of(mps_records, marks, READ_FOR_AREAS), manifest, architectures)


def compute_overlaps(areas: pd.DataFrame, manifest: pd.DataFrame, mps_records: RecordStore) -> pd.DataFrame:
    """The `overlaps` frame."""
    marks = dict(zip(areas["model"], areas["fingerprint"], strict=True))
    bar = partial(with_progress, total=areas["image"].nunique(), description="comparing")
    return measure_overlaps(areas, manifest, masks_of(mps_records, marks), bar)


def compute_more_sets(areas: pd.DataFrame, mps_records: RecordStore, search: SearchConfig) -> pd.DataFrame:
    """The `more_sets` frame."""
    marks = dict(zip(areas["model"], areas["fingerprint"], strict=True))
    records = records_of(mps_records, marks, READ_FOR_MORE_SETS)
    return measure_more_sets(records, areas, search.minimum_confidence_threshold, search.confidence_floor)


def compute_summary(
    areas: pd.DataFrame, model_cards: dict[str, ModelCard], metrics: Metrics, fine_tuned_summary: pd.DataFrame
) -> pd.DataFrame:
    """The `model_summary` frame. Accuracies of fine-tuned forms are the other study's, unless the parameters say so."""
    here = [name for name, card in model_cards.items() if card.weights.startswith("fine_tuned")]
    there = [(str(row["model"]), float(row["accuracy"])) for _, row in fine_tuned_summary.iterrows()]
    known = dict(there) | metrics.fine_tuned_accuracy
    return summarise_models(areas, metrics.resamples, metrics.seed, known, here)
