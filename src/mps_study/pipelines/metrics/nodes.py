"""Nodes of the metrics pipeline."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.common.searches import OWN
from mps_study.datasets.failures import Failures
from mps_study.datasets.records.store import RecordStore
from mps_study.measures.agreement import measure_agreement
from mps_study.measures.anytime import READ as READ_FOR_ANYTIME
from mps_study.measures.anytime import measure_anytime
from mps_study.measures.areas import READ as READ_FOR_AREAS
from mps_study.measures.areas import measure_areas
from mps_study.measures.more_sets import READ as READ_FOR_MORE_SETS
from mps_study.measures.more_sets import measure_more_sets
from mps_study.measures.overlap import measure_overlaps
from mps_study.measures.searches import measure_search_overlaps, summarise_searches
from mps_study.measures.summary import summarise_models
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.questions import QUESTIONS, measure_trust
from mps_study.models.export.card import ModelCard
from mps_study.models.roster.roster import Roster
from mps_study.mps.common.terms import LABEL
from mps_study.pipelines.metrics.measures import (
    fingerprints_of,
    marks_of,
    masks_of,
    needed_by,
    normalisations,
    of_this_study,
    packed_sets,
    records_of,
    regions_of,
)
from mps_study.project.parameters import Metrics
from mps_study.project.searches import searches_of


def compute_areas(
    roster: Roster,
    compared: list[str],
    model: str | None,
    model_cards: dict[str, ModelCard],
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    manifest: pd.DataFrame,
    mps_records: RecordStore,
    failures: Failures,
) -> pd.DataFrame:
    """The `areas` frame: the study's own search, then the others."""
    configs = searches_of(search, searches)
    marks = fingerprints_of(roster.of_study(model, compared), model_cards, configs, manifest, mps_records, failures)
    architectures = {name: model_cards[name].architecture for name in marks[OWN]}
    frames = [
        measure_areas(
            records_of(mps_records, mine, READ_FOR_AREAS),
            manifest,
            architectures,
            name,
            configs[name].minimum_confidence_threshold,
        )
        for name, mine in marks.items()
        if mine
    ]
    return pd.concat(frames, ignore_index=True)


def compute_overlaps(areas: pd.DataFrame, manifest: pd.DataFrame, mps_records: RecordStore) -> pd.DataFrame:
    """The `overlaps` frame, of the study's own search."""
    own = areas[areas["search"] == OWN]
    bar = partial(with_progress, total=own["image"].nunique(), description="comparing")
    overlaps = measure_overlaps(own, manifest, masks_of(mps_records, marks_of(own)[OWN]), bar)
    return overlaps.assign(search=pd.array([OWN] * len(overlaps), dtype="string"))


def compute_search_overlaps(areas: pd.DataFrame, mps_records: RecordStore) -> pd.DataFrame:
    """The `search_overlaps` frame."""
    return measure_search_overlaps(areas, partial(packed_sets, mps_records))


def compute_more_sets(
    areas: pd.DataFrame, mps_records: RecordStore, search: dict[str, Any], searches: dict[str, dict[str, Any]]
) -> pd.DataFrame:
    """The `more_sets` frame: the study's own search, then the others."""
    configs = searches_of(search, searches)
    frames = [
        measure_more_sets(
            records_of(mps_records, marks, READ_FOR_MORE_SETS),
            areas[areas["search"] == name],
            configs[name].minimum_confidence_threshold,
            configs[name].confidence_floor,
        )
        for name, marks in marks_of(areas).items()
    ]
    return pd.concat(frames, ignore_index=True)


def compute_anytime(areas: pd.DataFrame, mps_records: RecordStore) -> pd.DataFrame:
    """The `anytime` frame: the study's own search, then the others."""
    frames = [
        measure_anytime(records_of(mps_records, marks, READ_FOR_ANYTIME), areas[areas["search"] == name])
        for name, marks in marks_of(areas).items()
    ]
    return pd.concat(frames, ignore_index=True)


def compute_agreement(areas: pd.DataFrame, annotations: pd.DataFrame, mps_records: RecordStore) -> pd.DataFrame:
    """The `agreement` frame: the study's own search, then the others."""
    bar = partial(with_progress, total=areas["image"].nunique(), description="beside people")
    return measure_agreement(areas, regions_of(annotations), needed_by(mps_records, marks_of(areas)), bar)


def compute_summary(
    areas: pd.DataFrame, model_cards: dict[str, ModelCard], metrics: Metrics, fine_tuned_summary: pd.DataFrame
) -> pd.DataFrame:
    """The `model_summary` frame, of the study's own search.

    Accuracies of fine-tuned forms are the other study's, unless the parameters say so.
    """
    here = [name for name, card in model_cards.items() if card.weights.startswith("fine_tuned")]
    there = [(str(row["model"]), float(row["accuracy"])) for _, row in fine_tuned_summary.iterrows()]
    known = dict(there) | metrics.fine_tuned_accuracy
    return summarise_models(areas[areas["search"] == OWN], metrics.resamples, metrics.seed, known, here)


def compute_search_summary(areas: pd.DataFrame, metrics: Metrics) -> pd.DataFrame:
    """The `search_summary` frame."""
    return summarise_searches(areas, metrics.resamples, metrics.seed)


def compute_trust(
    areas: pd.DataFrame,
    more_sets: pd.DataFrame,
    overlaps: pd.DataFrame,
    search_overlaps: pd.DataFrame,
    answers: pd.DataFrame,
    probes: pd.DataFrame,
    sub_explanations: pd.DataFrame,
    agreement: pd.DataFrame,
    onnx_models: dict[str, Path],
    model_cards: dict[str, ModelCard],
    search: dict[str, Any],
    searches: dict[str, dict[str, Any]],
    metrics: Metrics,
) -> pd.DataFrame:
    """The `trust` frame; what was asked about other records than the study's is left out."""
    digests = {name: card.digest for name, card in model_cards.items()}
    answers = of_this_study(answers, "answers", [(str(name), digests[str(name)]) for name in areas["model"].unique()])
    now = areas[["model", "fingerprint"]].drop_duplicates().itertuples(index=False, name=None)
    known = [(str(model), str(mark)) for model, mark in now]
    probes = of_this_study(probes, "probes", known)
    sub_explanations = of_this_study(sub_explanations, "sub_explanations", known)
    configs = {name: config for name, config in searches_of(search, searches).items() if name in set(areas["search"])}
    but_seed = {
        name: {key: value for key, value in config.identity().items() if key != "seed"}
        for name, config in configs.items()
    }
    frames = Frames(
        areas, more_sets, overlaps, search_overlaps, answers, probes, sub_explanations, agreement,
        twins=[pair for pair in combinations(configs, 2) if but_seed[pair[0]] == but_seed[pair[1]]],
        of_labels=[name for name, config in configs.items() if config.target == LABEL],
        normalisation=normalisations(map(str, areas["model"].unique()), onnx_models),
        several_labels=[name for name, card in model_cards.items() if card.several_labels],
        resamples=metrics.resamples,
        seed=metrics.seed,
    )  # fmt: skip
    return measure_trust(frames, partial(with_progress, total=len(QUESTIONS), description="what sets tell"))
