"""Tries to break a study: kills, Ctrl-C, two at once, a full disk, a folder that cannot be written, memory.

    python torture/run.py [--kills 24] [--seed 0] [--only kills,interrupt,twice,disk,memory]

Every trial runs `kedro run` in processes of its own, on a small real study (training, export, search, report), and
compares what is left with an uninterrupted study, to the bit. Takes about twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import platform
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from trials import disk, interrupt, memory, twice

from mps_study.hooks.guards import BY_MODEL
from project import MODELS, ROOT, differences, leftovers, make_project, run, start

STAGES = ("data_sampling", "fine_tuning", "model_export", "mps_extraction", "reporting")
UPSTREAM = {"reporting": ("metrics", "statistics")}


def kills(folder: Path, whole: Path, number: int, seed: int) -> list[str]:
    """SIGKILL at random moments of each stage, in turn, until all the kills are spent."""
    chance = random.Random(seed)
    project = make_project(folder / "killed")
    per_stage = -(-number // len(STAGES))
    hit: Counter[str] = Counter()
    for stage in STAGES:
        for before in UPSTREAM.get(stage, ()):
            run(project, before)
        seconds, tries = LASTED[stage] / (len(MODELS) if stage in BY_MODEL else 1), 0
        while hit[stage] < per_stage and tries < 3 * per_stage:
            started = start(project, stage)
            if not started.wait_for_work(project, stage):  # all of it was done before the kills were spent
                break
            began, tries = time.perf_counter(), tries + 1
            time.sleep(chance.uniform(0, seconds))
            if started.process.poll() is None and started.working(project, stage):
                started.kill()
                hit[stage] += 1
            started.wait()
            seconds = min(seconds, max(0.5, time.perf_counter() - began))  # what is left to do grows less
        print(f"{stage}: {hit[stage]} kills in {tries} runs", flush=True)
        run(project, stage)
    wrong = differences(whole, project) + [f"left over: {path}" for path in leftovers(project)]
    if wrong:
        raise AssertionError("\n".join(wrong))
    told = ", ".join(f"{stage} {n}" for stage, n in hit.items())
    return [f"{sum(hit.values())} kills -9 survived ({told}): all equal to the bit, nothing left over"]


LASTED: dict[str, float] = {}


def uninterrupted(folder: Path) -> Path:
    """The study against which all is compared; how long its stages work is remembered."""
    project = make_project(folder / "whole")
    for stage in (
        "data_sampling",
        "fine_tuning",
        "model_export",
        "mps_extraction",
        "metrics",
        "statistics",
        "reporting",
    ):
        started = start(project, stage)
        LASTED[stage] = started.seconds_of_work(project, stage)
        if started.wait():
            raise RuntimeError(f"{stage} failed:\n{started.text[-3000:]}")
    return project


def main() -> None:
    """Run the trials that were asked for; exit code 1 if one of them broke something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="kills,interrupt,twice,disk,memory")
    chosen = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout
    print(f"{date.today().isoformat()}, commit {commit.strip()}, {platform.platform(terse=True)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = uninterrupted(folder)
        print("uninterrupted: " + ", ".join(f"{s} {t:.1f} s" for s, t in LASTED.items()), flush=True)
        trials: dict[str, Callable[[], list[str]]] = {
            "kills": lambda: kills(folder, whole, chosen.kills, chosen.seed),
            "interrupt": lambda: interrupt(folder, whole),
            "twice": lambda: twice(folder, whole),
            "disk": lambda: disk(folder, whole),
            "memory": lambda: memory(folder),
        }
        for trial in chosen.only.split(","):
            try:
                for line in trials[trial]():
                    print(f"{trial}: {line}", flush=True)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                print(f"{trial}: BROKEN\n{error}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
