"""How a run is started: in the project's folder, and by a runner that can serve a study."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

import yaml
from click import ClickException
from kedro.framework.project import LOGGING, pipelines
from kedro.framework.session import KedroSession
from kedro.runner import AbstractRunner, ParallelRunner, SequentialRunner

from mps_study.common.spelling import unknown
from mps_study.compute.closing import all_closed

log = logging.getLogger(__name__)
NAMING_NODES = ("node_names", "from_nodes", "to_nodes")
"""Arguments of a run that name nodes."""


class StudySession(KedroSession):
    """Kedro's session, whose runs stand in the project's folder, wherever they were started.

    So relative paths of conf, of the roster and of `--params`, and MLflow's database, are the project's; and they are
    used as they are written, so that what a fingerprint is made of does not tell where the project lies.
    """

    def run(self, *arguments: Any, runner: AbstractRunner | None = None, **rest: Any) -> dict[str, Any]:
        """As Kedro's; nodes may be named without their pipeline, `compute_areas` for `metrics.compute_areas`.

        Raises:
            ClickException: the runner cannot serve a study, or a node is unknown.
        """
        rest["runner"] = served(runner)
        rest |= {option: in_full(rest[option]) for option in NAMING_NODES if rest.get(option)}
        if Path.cwd() != self._project_path:
            log_as_the_project_says(self._project_path)
        with chdir(self._project_path), all_closed():
            found: dict[str, Any] = super().run(*arguments, **rest)
        return found


def log_as_the_project_says(root: Path) -> None:
    """Take the project's logging, which Kedro looks for in the working directory alone, unless the user names one."""
    ours = root / "conf/logging.yml"
    if "KEDRO_LOGGING_CONFIG" not in os.environ and ours.is_file():
        LOGGING.configure(yaml.safe_load(ours.read_text(encoding="utf-8")))


def in_full(names: Iterable[str]) -> list[str]:
    """The nodes' names with their pipelines'.

    Raises:
        ClickException: there is no such node; names the nearest.
    """
    known = {node.short_name: node.name for pipeline in pipelines.values() for node in pipeline.nodes}
    found = []
    for name in names:
        if name not in known and name not in known.values():
            raise ClickException(unknown("node", name, known, "`kedro registry describe PIPELINE` shows a pipeline's."))
        found.append(known.get(name, name))
    return found


def served(runner: AbstractRunner | None) -> AbstractRunner | None:
    """The runner, or one that does the same in turn.

    Kedro refuses `--async` for nodes that yield, as those do that save as they go. They are the study's work, so all
    is loaded and saved in turn instead; no result depends on it.

    Raises:
        ClickException: it spreads nodes over processes.
    """
    if isinstance(runner, ParallelRunner):
        raise ClickException(
            "ParallelRunner cannot run a study: its nodes hand each other what no other process can read. Leave "
            "--runner out, or take ThreadRunner; several processes share the work where each runs "
            "`kedro run --pipelines mps_extraction --params model=NAME`"
        )
    if isinstance(runner, SequentialRunner) and runner._is_async:
        log.info("--async: the nodes that save as they go cannot be served so; all is loaded and saved in turn")
        return SequentialRunner()
    return runner
