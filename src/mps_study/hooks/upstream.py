"""What a run reads and none of its nodes makes: is it there, and which command makes it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Pipeline

from mps_study.common.commands import kedro_run
from mps_study.pipelines.stages import ALL, BY_PARTS, STAGES, own_nodes, shortest

MAY_BE_ABSENT = {
    "checkpoints", "left_out", "annotations", "saliency_maps", "answers", "probes", "sub_explanations",
}  # fmt: skip
"""What a stage makes and need not be there: a study without fine-tuning, maps or probes, a sample of an earlier
version."""


def upstream_fault(pipeline: Pipeline, catalog: Any, asked: Iterable[str]) -> str | None:
    """One line if something that an earlier stage makes is missing: what, and the command that makes all of it."""
    missing = _missing(pipeline, catalog)
    if not missing:
        return None
    stages, todo = {name for name in asked if name in ALL}, set(missing.values())
    while todo:
        stage = todo.pop()
        stages.add(stage)
        todo |= set(_missing(own_nodes(stage), catalog).values()) - stages
    command = kedro_run(*shortest(stages))
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there yet; run `{command}`"


def part_fault(pipeline: Pipeline, catalog: Any) -> str | None:
    """One line if only a part of the images is to be searched, and what comes after the search is asked for as well."""
    shard = catalog.load("params:shard")
    searching = {node.name for stage in BY_PARTS for node in own_nodes(stage).nodes}
    if shard is None or all(node.name in searching for node in pipeline.nodes):
        return None
    return (
        f"shard={shard} searches a part of the images, but what comes after the search needs all of them; run "
        f"`{kedro_run('mps_extraction')}` for each part, and then the study without shard"
    )


def _missing(pipeline: Pipeline, catalog: Any) -> dict[str, str]:
    """Dataset -> the stage that makes it, of those that these nodes read, do not make themselves, and do not find."""
    read = pipeline.inputs() - MAY_BE_ABSENT
    made = [(name, stage) for stage in STAGES for name in sorted(own_nodes(stage).all_outputs() & read)]
    return {name: stage for name, stage in made if not catalog.exists(name)}
