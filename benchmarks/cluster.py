"""What a cluster costs and gives: efficiency, overhead of a unit, memory of a worker, a large study simulated.

    python benchmarks/cluster.py --images FOLDER [--n 24] [--only efficiency,overhead,memory,simulated]

FOLDER holds images in the folder layout. The model is the base study's EfficientNet-Lite0. Results go to
benchmarks/results/cluster.md, section by section; sections that are not run keep what stands there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

from cluster_simulated import simulated
from setting import MODELS, RESULTS, Row, card_of, facts, rows_as_dicts, spread

from mps_study import SearchConfig
from mps_study.compute.asking import Asking
from mps_study.compute.here import Here
from mps_study.compute.jobs import Found, Job, Runner, Work
from mps_study.compute.on_dask.cluster import OnDask, local_cluster
from mps_study.compute.on_dask.worker import Answer
from mps_study.compute.opening import with_measurements
from mps_study.compute.reading import Reader
from mps_study.images.sources import candidates_of

SECTIONS = ("efficiency", "overhead", "memory", "simulated")
MODEL = "efficientnet_lite0"
SEARCHES = {
    "rex": SearchConfig(iterations=1, tree_depth=3, chunk_size=400),
    "minimal": SearchConfig("minimal", granularity=16),
}


class Kept:
    """A client that is open already, for a runner that opens its own."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __enter__(self) -> Any:
        return self.client

    def __exit__(self, *_: object) -> None:
        pass


def work_of(job: Job, contents: dict[str, bytes], seconds: float) -> Work:
    """The work of a job on images, name -> bytes."""
    digests = {image: sha256(content).hexdigest() for image, content in contents.items()}
    return Work(job, len(contents), Reader(contents, [(i, i) for i in contents], digests), seconds=seconds)


def timed(runner: Runner, work: Work) -> tuple[float, list[Found]]:
    """Seconds that a runner takes, and what it finds."""
    began = time.perf_counter()
    found = list(runner.run([work]))
    seconds = time.perf_counter() - began
    errors = [each.error for each in found if each.error]
    if errors:
        raise errors[0]
    return seconds, found


def efficiency(contents: dict[str, bytes], repeats: int) -> list[Row]:
    """Two local workers against one process with two threads, in turns, both with the model open and measured."""
    rows = []
    with local_cluster(Asking("cpu"), 2) as client:
        for name, search in SEARCHES.items():
            job = Job(name, card_of(MODEL), MODELS / f"{MODEL}.onnx", search, Asking("cpu"))
            first = dict(list(contents.items())[:4])
            for runner in (Here(), OnDask(Kept(client))):  # measures, opens, and learns what an image takes
                seconds, found = timed(runner, work_of(job, first, 1.0))
                for each in found:
                    job = replace(job, card=with_measurements(job.card, each.measured))
            ratios, walls = [], []
            for _ in range(repeats):
                work = [work_of(job, contents, seconds / 4 * 2) for _ in range(2)]
                (one, records), (two, others) = timed(Here(), work[0]), timed(OnDask(Kept(client)), work[1])
                if evaluations(records) != evaluations(others):
                    raise AssertionError("the two have not done the same work")
                ratios.append(one / two)
                walls.append(two)
            what = f"{name}, {len(contents)} images: 2 local workers against 1 process with 2 threads"
            rows.append(Row(what, ">= .95", "", **spread(ratios, 3)))
            rows.append(Row(f"{name}: seconds of the 2 workers", "", "", **spread(walls, 1)))
    return rows


def evaluations(found: Sequence[Found]) -> int:
    """Of all records."""
    return sum(record.evaluations for each in found for record in each.records)


def at_once(run: str, job: Job, images: Sequence[Any], targets: object) -> Answer:
    """A unit that takes no time at all."""
    return Answer(Found(job.name, []))


def overhead(contents: dict[str, bytes], units: int = 400) -> list[Row]:
    """Milliseconds between two units of a worker, where the units themselves take none; one image travels with each."""
    job = Job("nothing", card_of(MODEL), MODELS / f"{MODEL}.onnx", SEARCHES["rex"], Asking("cpu"))
    images = list(contents.values())
    many = {f"{i}": images[i % len(images)] for i in range(units)}
    costs = []
    with local_cluster(Asking("cpu"), 2) as client:
        timed(OnDask(Kept(client), at_once), work_of(job, dict(list(many.items())[:20]), 1e6))
        for _ in range(5):
            seconds, _ = timed(OnDask(Kept(client), at_once), work_of(job, many, 1e6))
            costs.append(1000 * seconds * 2 / units)
    size = sum(map(len, images)) / len(images) / 1000
    return [
        Row(f"overhead of a unit in ms (2 workers, {units} units, {size:.0f} kB each)", "< 50", "", **spread(costs, 1))
    ]


def peak() -> float:
    """MB that this process has held at most; `ru_maxrss` is handed down to a process by the one that starts it."""
    from pathlib import Path

    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def memory(contents: dict[str, bytes]) -> list[Row]:
    """Peak resident memory of a worker above the size of its model, after few and after many images."""
    rows = []
    path = MODELS / f"{MODEL}.onnx"
    size = sum(file.stat().st_size for file in path.parent.glob(f"{MODEL}.onnx*")) / 1e6
    some = list(contents.items())
    for threads, repeats in ((1, 1), (1, 5), (2, 1), (2, 5)):
        job = Job("rex", card_of(MODEL), path, SEARCHES["rex"], Asking("cpu", batch_size=8, workers=threads))
        with local_cluster(Asking("cpu"), 1) as client:
            for i in range(repeats):
                timed(OnDask(Kept(client)), work_of(job, dict(some[4 * (i % (len(some) // 4)) :][:4]), 1.0))
            (most,) = client.run(peak).values()
        measure = (
            f"peak MB of a worker (threads: {threads}, batch 8) above its model of {size:.0f} MB, {4 * repeats} images"
        )
        rows.append(Row(measure, "<= 300", "", f"{most - size:.0f}", 1))
    return rows


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--n", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3, help="of the efficiency's two ways, in turns")
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=300.0, help="that the simulated study should take")
    chosen = parser.parse_args()
    found = sorted(candidates_of({"kind": "folder", "path": chosen.images}), key=lambda candidate: candidate.image)
    contents = {c.image: c.read() for c in found[:: max(1, len(found) // chosen.n)][: chosen.n]}
    sections = {
        "efficiency": lambda: efficiency(contents, chosen.repeats),
        "overhead": lambda: overhead(contents),
        "memory": lambda: memory(contents),
        "simulated": lambda: simulated(card_of(MODEL), chosen.seconds),
    }
    for name in chosen.only.split(","):
        write(name, sections[name]())


def write(section: str, rows: list[Row]) -> None:
    """Put a section's rows in the place of those that stand in the results."""
    file = RESULTS / "cluster.json"
    stands = json.loads(file.read_text()) if file.is_file() else {}
    load = f"{os.getloadavg()[0]:.1f}"
    stands[section] = {"date": date.today().isoformat(), **facts(), "load": load, "rows": rows_as_dicts(rows)}
    file.write_text(json.dumps(stands, indent=2) + "\n")
    lines = []
    for name in (name for name in SECTIONS if name in stands):
        made = stands[name]
        lines += [f"## {name}", "", f"{made['date']}, {made['machine']}, {made['system']}, commit {made['commit']}, "
                  f"load {made['load']} at the end", ""]  # fmt: skip
        lines += ["| measure | must | value (median) | low | high | n |", "|---|---|---|---|---|---|"]
        lines += ["| {measure} | {must} | {value} | {low} | {high} | {n} |".format(**row) for row in made["rows"]]
        lines.append("")
    (RESULTS / "cluster.md").write_text("# Clusters\n\n" + "\n".join(lines))
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
