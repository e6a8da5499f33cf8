"""Side by side with rex-xai 0.4.1 in an environment of its own: the same images, block by block, in one run."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from setting import MODELS, Counted, Row, raw_rate, spread

from mps_study import MpsRecord, OnnxClassifier, SearchConfig, extract_mps
from mps_study.mps.rex.rex import Rex

Images = list[tuple[str, np.ndarray]]
FLOORS = (0.5, 0.9)


class RexWorker:
    """rex-xai in a process of its own, waiting for images."""

    def __init__(self, python: str, model: str, images: Images, folder: Path) -> None:
        self.out = folder / "rex.npz"
        pixels = folder / "pixels.npz"
        np.savez(pixels, **dict(images))
        script = Path(__file__).with_name("rex_worker.py")
        self._process = subprocess.Popen(
            [python, str(script), str(MODELS / f"{model}.onnx"), str(pixels), str(self.out)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def explain(self, key: str, batch_size: int) -> tuple[float, int]:
        """Seconds, and model calls as rex-xai counts them."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"key": key, "batch_size": batch_size}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"rex-xai failed on {key}; run benchmarks/rex_worker.py by hand to see why")
        found = json.loads(answer)
        return float(found["seconds"]), int(found["calls"])

    def close(self) -> None:
        """End the process, which then writes its masks; nothing happens if it has ended."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@dataclass
class Block:
    """Walls and counts of some images, searched one after the other by each side."""

    ours: float = 0.0
    rows: int = 0
    raw: float = 0.0
    rex: dict[int, float] = field(default_factory=dict)
    records: list[MpsRecord] = field(default_factory=list)
    calls: dict[int, list[int]] = field(default_factory=dict)


@contextmanager
def rex_worker(python: str, model: str, images: Images) -> Iterator[RexWorker]:
    """A worker with its files, swept away afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        worker = RexWorker(python, model, images, Path(folder))
        try:
            yield worker
        finally:
            worker.close()


def side_by_side(images: Images, model: str, python: str, block_size: int, batch_sizes: tuple[int, ...]) -> list[Row]:
    """Rows of the strategy `rex` against rex-xai."""
    classifier = Counted(OnnxClassifier(MODELS / f"{model}.onnx", "cpu"))
    config = SearchConfig(keep_landscape=True)
    blocks = []
    with rex_worker(python, model, images) as worker:
        for start in range(0, len(images), block_size):
            some = images[start : start + block_size]
            block = Block()
            before = raw_rate(classifier.inner)
            began = time.perf_counter()
            block.records = list(extract_mps(iter(some), classifier, config))
            block.ours = time.perf_counter() - began
            block.rows = classifier.take()
            block.raw = (before + raw_rate(classifier.inner)) / 2
            for size in batch_sizes:
                answers = [worker.explain(key, size) for key, _ in some]
                block.rex[size] = sum(seconds for seconds, _ in answers)
                block.calls[size] = [calls for _, calls in answers]
            print(
                f"{model}, {start + len(some)} of {len(images)} images: {block.ours:.1f} s; rex-xai "
                + ", ".join(f"{seconds:.1f} s at batch {size}" for size, seconds in block.rex.items()),
                flush=True,
            )
            blocks.append(block)
        worker.close()
        with np.load(worker.out) as masks:
            return _rows(model, blocks, {key: masks[key] for key in masks.files})


def _rows(model: str, blocks: list[Block], masks: dict[str, np.ndarray]) -> list[Row]:
    records = [record for block in blocks for record in block.records]
    same = [np.array_equal(r.mask, masks[f"{r.key}.mask"]) for r in records]
    maps = [np.array_equal(r.landscape, masks[f"{r.key}.landscape"]) for r in records]
    rows = [
        Row(f"{model}: rex, masks identical to rex-xai's", "all", "all", f"{sum(same)} of {len(same)}", len(same)),
        Row(f"{model}: rex, maps identical to rex-xai's", "", "", f"{sum(maps)} of {len(maps)}", len(maps)),
    ]
    bars = {1: ("2.5", "3"), 64: ("1.3", "1.5")}
    for size in blocks[0].rex:
        ratios = [block.rex[size] / block.ours for block in blocks]
        must, reach = bars.get(size, ("", ""))
        rows.append(Row(f"{model}: rex-xai's wall at batch {size} / ours, by block", must, reach, **spread(ratios)))
        calls = [calls for block in blocks for calls in block.calls[size]]
        if size == 1:
            equal = sum(calls == record.calls for calls, record in zip(calls, records, strict=True))
            rows.append(Row(f"{model}: rex, calls equal to rex-xai's", "", "", f"{equal} of {len(calls)}", len(calls)))
    overhead = [block.ours / (block.rows / block.raw) for block in blocks]
    rows.append(Row(f"{model}: rex, wall / (evaluations / raw rate), by block", "1.10", "1.03", **spread(overhead)))
    rows.append(Row(f"{model}: rex, calls an image", "", "", **spread([r.calls for r in records], 0)))
    return rows


def tiles_against_rex(images: Images, model: str, strategy: str) -> list[Row]:
    """Rows of `minimal` or `group_testing` at floors 0, 0.5 and 0.9 against the strategy `rex` at the same floors.

    `rex` gives rex-xai's masks, so its areas and calls stand for rex-xai's. Its map does not depend on the floor:
    its calls at a floor are those of the map and of the longer scan.
    """
    classifier = OnnxClassifier(MODELS / f"{model}.onnx", "cpu")
    chunk = Rex().chunk_size
    at_floors = list(extract_mps(iter(images), classifier, SearchConfig(floors=FLOORS)))
    rows = []
    for i, share in enumerate((0.0, *FLOORS)):
        config = SearchConfig(strategy=strategy, minimum_confidence_threshold=share)
        found = list(extract_mps(iter(images), classifier, config))
        sets = [record.pixels if share == 0 else record.floors[i - 1].mps.pixels for record in at_floors]
        calls = [r.calls + (s - r.pixels) // chunk for r, s in zip(at_floors, sets, strict=True)]
        rows += _tiles_rows(f"{model}: {strategy} at floor {share:g}", BARS[strategy][share > 0], found, sets, calls)
        print(f"{model}: {strategy} at floor {share:g} done", flush=True)
    return rows


BARS = {
    "minimal": ((("0.40", "0.20"), ("0.33", "0.20")), (("0.35", "0.20"), ("1", ""))),
    "group_testing": ((("0.12", "0.10"), ("0.25", "0.20")), (("0.35", "0.20"), ("1", ""))),
}
"""Must and reach of a strategy's area and evaluations against ReX's: at floor 0, and above it."""


def _tiles_rows(
    name: str,
    bars: tuple[tuple[str, str], tuple[str, str]],
    found: list[MpsRecord],
    sets: list[int],
    calls: list[int],
) -> list[Row]:
    area = np.array([record.pixels for record in found], dtype=float)
    theirs = np.array(sets, dtype=float)
    evaluations = np.array([record.evaluations for record in found], dtype=float)
    n = len(found)
    low, high = f"{min(area / theirs):.3f}", f"{max(area / theirs):.3f}"
    areas, cost = bars
    ratio = evaluations.mean() / np.mean(calls)
    rows = [
        Row(f"{name}: summed area / ReX's (range of images)", *areas, f"{area.sum() / theirs.sum():.3f}", n, low, high),
        Row(f"{name}: geometric mean of area / ReX's", *areas, f"{np.exp(np.log(area / theirs).mean()):.3f}", n),
        Row(f"{name}: mean evaluations / ReX's mean calls", *cost, f"{ratio:.3f}", n),
        Row(f"{name}: evaluations an image", "", "", **spread(evaluations.tolist(), 0)),
        Row(f"{name}: images with a larger set", "10 %", "0", f"{(area > theirs).sum()}", n),
        Row(f"{name}: mean confidence of the set alone", "", "", f"{np.mean([r.confidence for r in found]):.3f}", n),
    ]
    return rows
