"""The stages of a study in their order, each a Kedro pipeline, and what else runs when one of them is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from kedro.pipeline import Pipeline

STAGES = (
    "data_sampling",
    "fine_tuning",
    "model_export",
    "saliency",
    "mps_extraction",
    "probing",
    "metrics",
    "statistics",
    "reporting",
)

ON_DEMAND = ("verification",)
"""Stages that run when they are asked for by name, and are no part of a study's own run."""

ALL = (*STAGES, *ON_DEMAND)

WITH_UPSTREAM = STAGES[:6]
"""Stages that run with all before them, as `make` does: what is up to date there is left alone. The others are quick,
are always done again, and read what lies there."""


BY_PARTS = STAGES[:5]
"""Stages that can be run for a part of the images (`shard`): the search, and what it needs."""


def own_nodes(stage: str) -> Pipeline:
    """The nodes of a stage alone."""
    created: Pipeline = import_module(f"mps_study.pipelines.{stage}.pipeline").create_pipeline()
    return created


def asked_for(stage: str) -> Pipeline:
    """What runs when a stage is asked for."""
    names = WITH_UPSTREAM[: WITH_UPSTREAM.index(stage) + 1] if stage in WITH_UPSTREAM else (stage,)
    return sum((own_nodes(name) for name in names), Pipeline([]))


def shortest(stages: Iterable[str]) -> list[str]:
    """The stages that have to be named for all of these to run, in their order."""
    wanted = sorted(set(stages), key=ALL.index)
    upstream = [stage for stage in wanted if stage in WITH_UPSTREAM]
    return upstream[-1:] + wanted[len(upstream) :]
