"""The pipelines of a study, in the order of docs/architecture.md."""

from __future__ import annotations

from importlib import import_module

from click import ClickException
from kedro.pipeline import Pipeline

from mps_study.common.spelling import unknown

NAMES = (
    "data_sampling",
    "fine_tuning",
    "model_export",
    "mps_extraction",
    "metrics",
    "statistics",
    "reporting",
)


class Pipelines(dict[str, Pipeline]):
    """Pipelines by name, which answer an unknown name with the nearest; Kedro itself would show a traceback."""

    def __missing__(self, name: str) -> Pipeline:
        raise ClickException(unknown("pipeline", name, NAMES, "`kedro registry list` shows all."))


def register_pipelines() -> dict[str, Pipeline]:
    """Each pipeline by name; `__default__` is all of them."""
    pipelines: dict[str, Pipeline] = {
        name: import_module(f"mps_study.pipelines.{name}.pipeline").create_pipeline() for name in NAMES
    }
    return Pipelines(pipelines, __default__=sum(pipelines.values(), Pipeline([])))
