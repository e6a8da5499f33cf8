"""A large study on 64 simulated workers: real Dask, real units, and searches that sleep as long as they would take.

In a process of its own a scheduler and its workers, of which one is lost a minute and comes back, and two come late;
time runs `SCALE` times as fast. The client of this process works through 15 models and 1,000 images each.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil
from setting import Row

from mps_study import SearchConfig
from mps_study.compute import units
from mps_study.compute.asking import Asking
from mps_study.compute.jobs import Found, Job, Work
from mps_study.compute.on_dask.cluster import OnDask, scheduler_at
from mps_study.compute.on_dask.worker import Answer, Sent
from mps_study.compute.reading import Reader
from mps_study.models.export.card import ModelCard
from mps_study.mps.types import FOUND, MpsRecord, Target

WORKERS, LATE, MODELS, IMAGES = 64, 2, 15, 1000
FALLING = 0.66
"""What an image of a model takes, as a share of the next dearer model's."""
SPREAD = 0.5
"""Of the logarithm of what images of one model take."""
SCALE = 5.0
GONE_SECONDS = 10.0
"""Until a lost worker is there again, in simulated time."""
PORT = 18799
ALONE = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
}
"""Each worker looks a hundred times a second at what it does: 64 in one process would do little else."""


def cost(model: int, image: int, mean: float) -> float:
    """Simulated seconds of a worker; the same for whoever asks."""
    chance = np.random.default_rng([model, image])
    return mean * float(np.exp(chance.normal(-SPREAD * SPREAD / 2, SPREAD)))


def asleep(run: str, job: Job, images: Sequence[Sent], targets: object) -> Answer:
    """A unit that takes as long as its images would."""
    model, mean = json.loads(job.name)
    spent = sum(cost(model, int(sent.image), mean) for sent in images)
    time.sleep(spent / SCALE)
    mask = np.zeros((224, 224), dtype=bool)
    records = [MpsRecord(sent.image, FOUND, "", Target(0, 1.0), mask.copy(), 1.0, 1, 1) for sent in images]
    return Answer(Found(job.name, records), seconds=spent / SCALE)


async def serve(seed: int = 0) -> None:
    """A scheduler and its workers, until standard input ends; tells on standard output who came and went when."""
    import logging

    from distributed import Scheduler, Worker

    logging.disable(logging.CRITICAL)
    chance = random.Random(seed)

    def tell(change: int) -> None:
        print(json.dumps([time.time(), change]), flush=True)

    async def one(name: int) -> Worker:
        worker = await Worker(f"tcp://127.0.0.1:{PORT}", nthreads=1, name=name, memory_limit=0, dashboard=False)
        tell(+1)
        return worker

    async with Scheduler(host="127.0.0.1", port=PORT, dashboard=False, dashboard_address=":0"):
        workers = [await one(i) for i in range(WORKERS - LATE)]
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        await asyncio.sleep(300 / SCALE)
        workers += [await one(WORKERS - LATE + i) for i in range(LATE)]
        number = WORKERS
        while True:
            await asyncio.sleep(60 / SCALE)
            lost = workers.pop(chance.randrange(len(workers)))
            tell(-1)
            await lost.close(timeout=0.1, executor_wait=False, nanny=False)
            await asyncio.sleep(GONE_SECONDS / SCALE)
            workers.append(await one(number))
            number += 1


def simulated(card: ModelCard, seconds: float) -> list[Row]:
    """Makespan over its lower bound, memory of the client, images a second; `seconds`: that it should really take."""
    units.LONGEST_SECONDS /= SCALE
    shares = FALLING ** np.arange(MODELS)
    means = seconds * SCALE * WORKERS / IMAGES * shares / shares.sum()
    empty = dict.fromkeys((str(i) for i in range(IMAGES)), b"")
    works = [
        Work(
            Job(
                json.dumps([model, mean]),
                card.model_copy(update={"digest": f"{model:064d}"}),
                Path("m.onnx"),
                SearchConfig(),
                Asking(),
            ),
            IMAGES,
            Reader(empty, [(image, image) for image in empty], dict.fromkeys(empty, "")),
            seconds=mean / SCALE,
        )
        for model, mean in enumerate(means)
    ]
    for work in works:
        work.reader.contents = lambda: ((image, bytes(1000)) for image in empty)
    total = sum(cost(model, image, mean) for model, mean in enumerate(means) for image in range(IMAGES)) / SCALE
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen([sys.executable, __file__], env=os.environ | ALONE, **pipes)
    changes: list[list[float]] = []
    while (line := server.stdout.readline()) != "ready\n":
        changes.append(json.loads(line))
    memory, done = [], 0
    with OnDask(scheduler_at(f"tcp://127.0.0.1:{PORT}"), asleep) as runner:
        server.stdin.write("begin\n")
        server.stdin.flush()
        began = time.time()
        for found in runner.run(works):
            done += len(found.records)
            memory.append((done, psutil.Process().memory_info().rss / 1e6))
        took = time.time() - began
    server.kill()
    changes += [json.loads(line) for line in server.stdout]
    if done != MODELS * IMAGES:
        raise AssertionError(f"{done} records of {MODELS * IMAGES}")
    lost = sum(change < 0 and when < began + took for when, change in changes)
    bound = lower_bound(changes, began, total)
    quarter, last = (np.mean([mb for n, mb in memory if a * done < n <= b * done]) for a, b in ((0.2, 0.3), (0.9, 1.0)))
    scale = f"time {SCALE:.0f} times as fast, {lost} workers lost, {LATE} late"
    return [
        Row(
            f"makespan over its lower bound: {MODELS} models, {IMAGES} images, {WORKERS} workers ({scale})",
            "<= 1.10",
            "",
            f"{took / bound:.3f}",
            1,
        ),
        Row(
            "its seconds; the lower bound is the work divided by the workers that were there", "", "", f"{took:.1f}", 1
        ),
        Row("memory of the client in MB at a quarter and at the end", "flat", "", f"{quarter:.0f}, {last:.0f}", 1),
    ]


def lower_bound(changes: list[list[float]], began: float, total: float) -> float:
    """Seconds in which the workers that were there could have done so many seconds of work."""
    there, now, left = 0.0, began, total
    for when, change in sorted(changes):
        if when > now:
            done = there * (when - now)
            if done >= left:
                break
            left, now = left - done, when
        there += change
    return now - began + left / there


if __name__ == "__main__":
    asyncio.run(serve())
