"""The pipelines of a study, in the order of docs/architecture.md."""

from __future__ import annotations

from click import ClickException
from kedro.pipeline import Pipeline

from mps_study.common.spelling import unknown
from mps_study.pipelines.stages import ALL, STAGES, asked_for


class Pipelines(dict[str, Pipeline]):
    """Pipelines by name, which answer an unknown name with the nearest; Kedro itself would show a traceback."""

    def __missing__(self, name: str) -> Pipeline:
        raise ClickException(unknown("pipeline", name, ALL, "`kedro registry list` shows all."))


def register_pipelines() -> dict[str, Pipeline]:
    """Each pipeline by name; `__default__` is all of them but those on demand."""
    pipelines = {stage: asked_for(stage) for stage in ALL}
    return Pipelines(pipelines, __default__=sum((pipelines[stage] for stage in STAGES), Pipeline([])))
