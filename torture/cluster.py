"""Whoever searches, and whatever is killed: the same records, byte for byte.

    python torture/cluster.py --images FOLDER [--n 20] [--seed 0] [--only ways,workers,scheduler,client,interrupt]
    python torture/cluster.py --miniature [--only ways,...]

A study of EfficientNet-Lite0 on real photographs (FOLDER: one sub-folder a class), by `rex` and by `minimal`, or the
whole miniature study, its 15 models trained and exported before: searched in every way that there is, and with kill -9
at random moments; every time in processes of their own. What is compared is every column of every record, masks and
maps included, but for the tolerance that was measured for a batch size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import psutil
import yaml

from project import ROOT, Run, make_project, start_in

LOCAL = {"extraction.cluster": "local", "extraction.cluster_workers": 2}


@dataclass(frozen=True)
class Study:
    """A study in a folder of its own, whose models are exported: its name, and how many models x searches it has."""

    folder: Path
    name: str
    units: int

    @property
    def data(self) -> Path:
        """All that it keeps."""
        return self.folder / "data" / self.name

    @property
    def shards(self) -> list[Path]:
        """Files of records."""
        return sorted((self.data / "05_mps_records").rglob("*.parquet"))


def miniature(folder: Path) -> Study:
    """The whole miniature study: 15 models, 60 images."""
    models = tuple(yaml.safe_load((ROOT / "conf/miniature/parameters_models.yml").read_text())["models"])
    make_project(folder, models, images=30, iterations=20)
    done(start_in(folder, "miniature", "model_export"))
    return Study(folder, "miniature", len(models))


def photographs(folder: Path, images: Path, number: int) -> Study:
    """A study of one model and two short searches on photographs of a folder."""
    name = "photographs"
    (folder / "src").mkdir(parents=True)
    (folder / "src/mps_study").symlink_to(ROOT / "src/mps_study")
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    shutil.copytree(ROOT / "conf/base", folder / "conf/base")
    (folder / "conf/local").mkdir()
    (folder / f"conf/{name}").mkdir()
    source = {"kind": "folder", "path": str(images)}
    base = yaml.safe_load((folder / "conf/base/parameters.yml").read_text())
    parameters = {
        "compared": ["efficientnet_lite0"],
        "data_sampling": {"labelled": None, "unlabelled": {"source": source, "n": number}},
        "search": base["search"] | {"iterations": 1, "tree_depth": 3, "chunk_size": 400},
        "searches": {"tiles": {"strategy": "minimal", "granularity": 16}},
        "extraction": base["extraction"] | {"device": "cpu", "batch_size": 4, "workers": 1, "shard_size": 4},
    }
    (folder / f"conf/{name}/parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (folder / f"conf/{name}/globals.yml").write_text(f"study: {name}\n")
    done(start_in(folder, name, "model_export"))
    return Study(folder, name, 2)


def done(run: Run) -> Run:
    """Wait for the end of a run that must end well."""
    if run.wait():
        raise RuntimeError(f"a run failed:\n{run.text[-4000:]}")
    return run


def search(study: Study, **params: object) -> Run:
    """Start the search."""
    return start_in(study.folder, study.name, "mps_extraction", params=params)


def records(study: Study) -> pd.DataFrame:
    """All records in a fixed order."""
    if not study.shards:
        return pd.DataFrame()
    frame = pd.concat([pd.read_parquet(shard) for shard in study.shards])
    frame["made_with"] = frame["made_with"].map(_without_tolerance)
    return frame.sort_values(["model", "fingerprint", "image"], ignore_index=True)


def _without_tolerance(made_with: str) -> str:
    """What a record was made with, but for how far batches were measured to be off: that is of the batch size."""
    return json.dumps({name: value for name, value in json.loads(made_with).items() if name != "tolerance"})


def forget(study: Study) -> None:
    """Before the first record."""
    shutil.rmtree(study.data / "05_mps_records", ignore_errors=True)


def assert_same(study: Study, whole: pd.DataFrame) -> None:
    """All records are there once, equal to the bit, the searches complete, and nothing is left over."""
    pd.testing.assert_frame_equal(records(study), whole, check_exact=True)
    if (complete := len(list((study.data / "05_mps_records").rglob("complete.json")))) != study.units:
        raise AssertionError(f"{complete} searches are complete")
    left = [path.name for path in study.data.rglob("*") if path.name.endswith((".partial", ".holder.json"))]
    if left:
        raise AssertionError(f"left over: {left}")


def children_of(process: int) -> list[psutil.Process]:
    """All processes that a process has started, and theirs."""
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def workers_of(process: int) -> list[psutil.Process]:
    """Those of them that search: a local cluster's are the ones that `multiprocessing` has spawned."""
    found = []
    for child in children_of(process):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def gone(processes: list[psutil.Process], seconds: float = 5.0) -> None:
    """Each must have ended by then."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    if alive := [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:
        raise AssertionError(f"processes are left: {alive}")


def ways(study: Study, whole: pd.DataFrame, chance: random.Random) -> list[str]:
    """Threads, local clusters of 1, 2 and 4 workers, three parts at once, killed and resumed."""
    told = []
    chosen = {
        "4 threads, batches of 16": {"extraction.batch_size": 16, "extraction.workers": 4},
        **{f"local cluster of {n}": LOCAL | {"extraction.cluster_workers": n} for n in (1, 2, 4)},
    }
    for name, params in chosen.items():
        forget(study)
        done(search(study, **params))
        assert_same(study, whole)
        told.append(f"{name}: equal")
        print(told[-1], flush=True)
    forget(study)
    for run in [search(study, shard=f"{i}/3") for i in (1, 2, 3)]:
        done(run)
    assert_same(study, whole)
    told.append("three parts at once: equal")
    forget(study)
    run = search(study)
    while not study.shards and run.process.poll() is None:
        time.sleep(0.1)
    run.kill()
    run.wait()
    done(search(study, **LOCAL))
    assert_same(study, whole)
    return [*told, "killed alone, gone on with by a local cluster: equal"]


def workers(study: Study, whole: pd.DataFrame, chance: random.Random, kills: int = 20) -> list[str]:
    """kill -9 of one worker after the other, until all the kills are spent; the study must end by itself.

    Between two kills a record is found: an image that takes three workers with it alone is one that fails, rightly.
    """
    spent, runs = 0, 0
    while spent < kills:
        forget(study)
        run, runs, known = search(study, **LOCAL), runs + 1, 0
        while run.process.poll() is None and spent < kills:
            wait_for_records(study, run, known)
            known = len(records(study)) + 1
            time.sleep(chance.uniform(0, 6))
            if (there := workers_of(run.process.pid)) and run.process.poll() is None:
                chance.choice(there).send_signal(signal.SIGKILL)
                spent += 1
        done(run)
        assert_same(study, whole)
    return [f"{spent} kills -9 of workers in {runs} runs: each run ended by itself, all equal"]


@contextmanager
def outer_cluster(number: int = 2) -> Iterator[tuple[str, subprocess.Popen]]:
    """A scheduler and workers that are not the study's; its address and the scheduler's process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    found = [str(ROOT / "src"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(found)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]
    scheduler = subprocess.Popen([*command, "--no-dashboard"], **quiet)
    one = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen(one, **quiet) for _ in range(number)]
    while scheduler.poll() is None and not children_are_up(address):
        time.sleep(0.2)
    try:
        yield address, scheduler
    finally:
        for process in [scheduler, *started]:
            for child in children_of(process.pid):
                child.kill()
            process.kill()
            process.wait()


def scheduler(study: Study, whole: pd.DataFrame, chance: random.Random, kills: int = 5) -> list[str]:
    """kill -9 of a scheduler: the run ends in one line, what was found is kept, and another cluster goes on."""
    forget(study)
    kept = [0]
    for _ in range(kills):
        with outer_cluster() as (address, process):
            run = search(study, **{"extraction.cluster": address})
            wait_for_records(study, run, kept[-1] + 1)
            time.sleep(chance.uniform(0, 2))
            process.kill()
            code = run.wait()
            if code == 0:  # it was done before
                break
            if "Traceback" in run.text or "what was found is kept" not in run.text:
                raise AssertionError(f"it did not end in one line:\n{run.text[-3000:]}")
            kept.append(len(records(study)))
    with outer_cluster() as (address, _):
        done(search(study, **{"extraction.cluster": address}))
        if not children_are_up(address):
            raise AssertionError("a cluster that somebody else had started was closed")
    assert_same(study, whole)
    return [f"{len(kept) - 1} kills -9 of the scheduler, {kept[1:]} records kept: one line each, ended equal"]


def children_are_up(address: str) -> bool:
    """Whether a scheduler still answers."""
    host, port = address.removeprefix("tcp://").split(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def wait_for_records(study: Study, run: Run, number: int) -> None:
    """Until so many records are there, or the run has ended."""
    while run.process.poll() is None:
        if len(records(study)) >= number:
            return
        time.sleep(0.2)


def client(study: Study, whole: pd.DataFrame, chance: random.Random, kills: int = 3) -> list[str]:
    """kill -9 of the process that writes: its workers go with it, and the next run goes on."""
    forget(study)
    spent, kept = 0, [0]
    for _ in range(kills):
        run = search(study, **LOCAL)
        wait_for_records(study, run, kept[-1] + 1)
        time.sleep(chance.uniform(0, 2))
        if run.process.poll() is not None:
            break
        there = children_of(run.process.pid)
        run.process.send_signal(signal.SIGKILL)
        run.wait()
        gone(there, 10)
        spent += 1
        kept.append(len(records(study)))
    done(search(study, **LOCAL))
    assert_same(study, whole)
    return [f"{spent} kills -9 of the client, {kept[1:]} records kept: no worker left, ended equal"]


def interrupt(study: Study, whole: pd.DataFrame, chance: random.Random) -> list[str]:
    """Ctrl-C, to the run alone and to its whole group as a terminal sends it."""
    told = []
    for name, group in (("the run", False), ("its group", True)):
        forget(study)
        run = search(study, **LOCAL)
        wait_for_records(study, run, 1)
        there = children_of(run.process.pid)
        began = time.perf_counter()
        run.kill(signal.SIGINT) if group else run.process.send_signal(signal.SIGINT)
        code = run.process.wait()
        took = time.perf_counter() - began
        if code == 0 or took > 5:
            raise AssertionError(f"Ctrl-C to {name}: exit code {code} after {took:.1f} s")
        gone(there, 1)
        run.wait()
        done(search(study, **LOCAL))
        assert_same(study, whole)
        told.append(f"Ctrl-C to {name}: gone after {took:.1f} s with all its processes, ended equal")
    return told


TRIALS = {"ways": ways, "workers": workers, "scheduler": scheduler, "client": client, "interrupt": interrupt}


def main() -> None:
    """Run the trials that were asked for; exit code 1 if one of them broke something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--images", type=Path)
    which.add_argument("--miniature", action="store_true")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(TRIALS))
    chosen = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout
    print(f"{date.today().isoformat()}, commit {commit.strip()}, {platform.platform(terse=True)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        study = photographs(folder, chosen.images.resolve(), chosen.n) if chosen.images else miniature(folder)
        began = time.perf_counter()
        done(search(study))
        whole = records(study)
        seconds = time.perf_counter() - began
        print(
            f"one process, one thread: {len(whole)} records, {whole['evaluations'].sum()} evaluations, {seconds:.0f} s",
            flush=True,
        )
        for trial in chosen.only.split(","):
            try:
                for line in TRIALS[trial](study, whole, random.Random(chosen.seed)):
                    print(f"{trial}: {line}", flush=True)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                print(f"{trial}: BROKEN\n{str(error)[:2000]}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
