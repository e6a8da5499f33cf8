"""Downstream of the records at the paper's scale: time and peak memory of metrics, statistics and reporting.

    python benchmarks/downstream.py FOLDER --images 1000

FOLDER becomes a project with a made-up study, which is kept and measured again where it is there. Each run is one
process, as `kedro run --env paper --pipelines metrics,statistics,reporting` is, with all hooks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from made_up import make_project
from setting import ROOT, Row

PIPELINES = ["metrics", "statistics", "reporting"]
MUST, REACH = (240, 1300), (120, 800)
"""Seconds and MB of a whole run of 15 models and `FULL` images."""
FULL = 1000


class Memory:
    """Highest resident memory of this process and its children, in MB, looked at 50 times a second."""

    def __init__(self) -> None:
        self.peak = self.whole = 0.0
        self._process = psutil.Process()
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self) -> float:
        """The peak since the last call."""
        self.look()
        peak, self.peak = self.peak, 0.0
        return peak

    def look(self) -> None:
        """Now."""
        resident = self._process.memory_info().rss
        for child in self._process.children(recursive=True):
            try:
                resident += child.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.peak = max(self.peak, resident / 1e6)
        self.whole = max(self.whole, self.peak)

    def _watch(self) -> None:
        while True:
            self.look()
            time.sleep(0.02)


class NodeTimes:
    """Wall and CPU seconds and MB of each node: from the end of the one before it to its own last output saved."""

    def __init__(self, memory: Memory) -> None:
        self.nodes: dict[str, tuple[float, float, float]] = {}
        self._memory = memory
        self._since = _clocks()

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Begin."""
        self._since = _clocks()
        self._memory.take()

    @hook_impl(trylast=True)
    def after_dataset_saved(self, node: Node) -> None:
        """A node ends with its last output; what it keeps for later is made while it is saved."""
        now = _clocks()
        wall, cpu, peak = self.nodes.get(node.name, (0.0, 0.0, 0.0))
        wall, cpu = wall + now[0] - self._since[0], cpu + now[1] - self._since[1]
        self.nodes[node.name] = wall, cpu, max(peak, self._memory.take())
        self._since = now


def _clocks() -> tuple[float, float]:
    """Wall and CPU seconds, children that have ended included."""
    spent = os.times()
    return time.perf_counter(), spent.user + spent.system + spent.children_user + spent.children_system


def measure(project: Path) -> dict[str, Any]:
    """One run in this process: wall and CPU seconds and MB of each node, and of the whole, start included."""
    began = psutil.Process().create_time()
    memory = Memory()
    times = NodeTimes(memory)
    bootstrap_project(project)
    settings.set("HOOKS", (*settings.HOOKS, times))
    with KedroSession.create(project_path=project, env="paper") as session:
        session.run(pipeline_names=PIPELINES)
    memory.look()
    return {"nodes": times.nodes, "whole": (time.time() - began, _clocks()[1], memory.whole)}


def downstream(images: int) -> list[Row]:
    """Rows of seconds and MB of each node and of the whole run, of a study of so many images."""
    with tempfile.TemporaryDirectory() as folder:
        return rows(run(make_project(Path(folder) / "project", images)), images)


def run(project: Path) -> dict[str, Any]:
    """One run in a process of its own."""
    answer = Path(project) / "measured.json"
    command = [sys.executable, __file__, str(project), "--measure", str(answer)]
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "DO_NOT_TRACK": "true"}
    subprocess.run(command, check=True, cwd=project, env=environment, stdout=subprocess.DEVNULL)
    return dict(json.loads(answer.read_text()))


def rows(measured: dict[str, Any], images: int) -> list[Row]:
    """The table of a run."""
    bars = [f"{seconds} s, {peak} MB" if images == FULL else "" for seconds, peak in (MUST, REACH)]
    nodes = [_row(f"node {name}", *spent, images) for name, spent in measured["nodes"].items()]
    return [*nodes, _row("whole run", *measured["whole"], images, *bars)]


def _row(what: str, wall: float, cpu: float, peak: float, images: int, must: str = "", reach: str = "") -> Row:
    return Row(f"downstream, {what}", must, reach, f"{wall:.1f} s ({cpu:.1f} s of CPU), {peak:.0f} MB", images)


def main() -> None:
    """Make the study, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=FULL)
    parser.add_argument("--source", type=Path, default=ROOT / "src/mps_study", help="of the package to measure")
    parser.add_argument("--measure", type=Path, help="only run the study that is there, and write what it took here")
    chosen = parser.parse_args()
    if chosen.measure:
        chosen.measure.write_text(json.dumps(measure(chosen.folder)))
        return
    project = make_project(chosen.folder.resolve(), chosen.images, chosen.source.resolve())
    for row in rows(run(project), chosen.images):
        print(f"{row.measure}: {row.value}")


if __name__ == "__main__":
    main()
