"""The pipelines of a study, in the order of docs/architecture.md."""

from __future__ import annotations

from importlib import import_module

from kedro.pipeline import Pipeline

NAMES = (
    "data_sampling",
    "fine_tuning",
    "model_export",
    "mps_extraction",
    "metrics",
    "statistics",
    "reporting",
)


def register_pipelines() -> dict[str, Pipeline]:
    """Each pipeline by name; `__default__` is all of them."""
    pipelines: dict[str, Pipeline] = {
        name: import_module(f"mps_study.pipelines.{name}.pipeline").create_pipeline() for name in NAMES
    }
    return {**pipelines, "__default__": sum(pipelines.values(), Pipeline([]))}
