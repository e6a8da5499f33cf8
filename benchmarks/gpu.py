"""What a GPU does: rates, fill of batches, tolerance, equal records at every batch, precision and device.

    python benchmarks/gpu.py --images FOLDER [--model MODEL.onnx --card CARD.json] [--n 16] [--device cuda]
        [--rates MODEL.onnx ...]

FOLDER holds images in any depth. The model is the base study's EfficientNet-Lite0 unless another is named. `--rates`
names further models of which only rates and tolerances are measured, on a picture of noise. `--device cpu` runs
the same on a CPU, to try the script.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from mps_study import MpsRecord, OnnxClassifier, SearchConfig, extract_mps
from mps_study.images.decoding import decode
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.devices import provider_options
from mps_study.models.inference.throughput import machine, rate_of
from mps_study.models.inference.tolerance import trial
from mps_study.mps.types import Picture, Reply, Slice

ROOT = Path(__file__).parents[1]
BATCHES = (64, 1, 8, 128)
"""The first is what all others are compared with."""

SEARCHES = {"rex": {"iterations": 5, "keep_landscape": True}, "minimal": {"strategy": "minimal"}}
Images = list[tuple[str, np.ndarray]]


class Watched:
    """A classifier that counts its calls and rows, in company and alone."""

    def __init__(self, inner: OnnxClassifier) -> None:
        self.inner, self.together, self.alone = inner, list[int](), list[int]()
        self.classify_alone = self._alone if inner.classify_alone else None

    @property
    def batch_size(self) -> int:
        """As the classifier's."""
        return self.inner.batch_size

    @property
    def workers(self) -> int:
        """As the classifier's."""
        return self.inner.workers

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Ask, and count."""
        rows = self.alone if batch[0].mutants.alone else self.together
        rows.append(sum(part.stop - part.start for part in batch))
        return self.inner.classify(batch)

    def _alone(self, batch: Sequence[Slice]) -> Reply:
        self.alone.append(sum(part.stop - part.start for part in batch))
        return self.inner.classify_alone(batch)  # type: ignore[misc]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True)
    parser.add_argument("--model", default=str(ROOT / "data/base/04_models/efficientnet_lite0.onnx"))
    parser.add_argument("--card", help="the model's card; beside it if not given")
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", default="fp32,tf32,fp16")
    parser.add_argument("--batches", default=",".join(map(str, BATCHES)))
    parser.add_argument("--cpu-n", type=int, default=16, help="images that a CPU searches as well")
    parser.add_argument("--rates", nargs="*", default=[], help="further models")
    parser.add_argument("--out", help="a JSON file for all figures")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine(chosen.device), "driver": driver(), "onnxruntime": ort.__version__}
    figures["options"] = provider_options(chosen.device)
    show(figures)
    images = images_of(chosen)
    for name, make in sections(chosen, images).items():
        start = time.perf_counter()
        figures[name] = make()
        show({name: figures[name], "seconds": round(time.perf_counter() - start, 1)})
        if chosen.out:
            Path(chosen.out).write_text(json.dumps(figures, indent=1))


def sections(chosen: argparse.Namespace, images: Images) -> dict[str, Any]:
    """What is measured, in order: name -> a function that does it."""
    precisions = chosen.precisions.split(",")
    batches = [int(size) for size in chosen.batches.split(",")]
    found: dict[str, list[MpsRecord]] = {}

    def search(strategy: str, precision: str, batch: int | None) -> dict[str, Any]:
        figures, records = searched(chosen, images, strategy, precision, batch)
        figures["batch"] = batch or figures.pop("chosen batch")
        reference = found.setdefault(strategy, records)
        return figures | {"records that differ from the first": differing(reference, records)}

    return {
        "rates": lambda: {p: rates(Path(chosen.model), chosen.device, p, images[0][1]) for p in precisions},
        **{f"{s}, batch {b}": lambda s=s, b=b: search(s, "fp32", b) for s in SEARCHES for b in batches},
        **{f"rex, {p}": lambda p=p: search("rex", p, None) for p in precisions if p != "fp32"},
        "the CPU's records": lambda: of_cpu(chosen, images, found),
        **{f"rates of {Path(m).stem}": lambda m=m: noise_rates(Path(m), chosen, precisions) for m in chosen.rates},
    }


def searched(
    chosen: argparse.Namespace, images: Images, strategy: str, precision: str, batch: int | None
) -> tuple[dict[str, Any], list[MpsRecord]]:
    """Search all images once; rates, fill and what was asked again."""
    classifier = OnnxClassifier(chosen.model, chosen.device, batch, precision=precision)  # type: ignore[arg-type]
    watched = Watched(classifier)
    config = SearchConfig(**SEARCHES[strategy])
    list(extract_mps(images[:1], watched, config))  # opens and measures
    watched.together.clear()
    watched.alone.clear()
    with power() as watt:
        start = time.perf_counter()
        records = list(extract_mps(images, watched, config, chosen.in_flight))
        seconds = time.perf_counter() - start
    evaluations = sum(record.evaluations for record in records)
    ask = classifier._asking(classifier._painting or "numpy", picture_of(images[0][1]))
    raw = rate_of(ask, classifier.batch_size, classifier.workers)
    rows = sum(watched.together) + sum(watched.alone)
    return {
        "seconds an image": round(seconds / len(images), 3),
        "evaluations an image": round(evaluations / len(images)),
        "evaluations/s": round(evaluations / seconds),
        "raw rate of the same batches": round(raw),
        "share of the raw rate": round(evaluations / seconds / raw, 3),
        "fill of batches": round(sum(watched.together) / max(1, len(watched.together) * classifier.batch_size), 3),
        "asked alone, share": round(sum(watched.alone) / rows, 4),
        "asked again, share": round((rows - evaluations) / rows, 4),
        "tolerance": classifier.tolerance,
        "chosen batch": classifier.batch_size,
        "watt": watt[0] if watt else None,
    }, records


def rates(
    path: Path, device: str, precision: str, pixels: np.ndarray, sizes: Sequence[int] = (1, 8, 16, 32, 64, 128, 256)
) -> dict[str, Any]:
    """Mutants a second by batch size, painted, and the tolerance at the fastest."""
    classifier = OnnxClassifier(path, device, precision=precision)  # type: ignore[arg-type]
    picture = picture_of(pixels)
    sizes = sizes if device == "cuda" else (1, 4)
    ask = classifier._asking(classifier._painting or "numpy", picture)
    figures: dict[str, Any] = {str(size): round(rate_of(ask, size, 1)) for size in sizes}
    figures["alone"] = round(rate_of(lambda n: classifier._alone.output([trial(picture, n)], n), 1, 1))
    figures["chosen"] = [classifier.batch_size, classifier.workers]
    classifier._measure_tolerance(picture)
    return figures | {"tolerance": classifier.tolerance}


def noise_rates(path: Path, chosen: argparse.Namespace, precisions: list[str]) -> dict[str, Any]:
    """The rates of a model on a picture of noise."""
    c, h, w = OnnxClassifier(path, "cpu", 1, 1).input_shape
    pixels = np.random.default_rng(0).standard_normal((c or 3, h or 224, w or 224)).astype(np.float32)
    return {p: rates(path, chosen.device, p, pixels, (1, 16, 64)) for p in precisions}


def of_cpu(chosen: argparse.Namespace, images: Images, found: dict[str, list[MpsRecord]]) -> dict[str, Any]:
    """How many records a CPU finds to be the same."""
    classifier = OnnxClassifier(chosen.model, "cpu")
    figures: dict[str, Any] = {"machine": machine("cpu")}
    for strategy, records in found.items():
        start = time.perf_counter()
        ours = list(
            extract_mps(images[: chosen.cpu_n], classifier, SearchConfig(**SEARCHES[strategy]), chosen.in_flight)
        )
        figures[strategy] = {
            "records that differ": differing(ours, records[: chosen.cpu_n]),
            "n": len(ours),
            "seconds an image": round((time.perf_counter() - start) / len(ours), 2),
        }
    return figures


def differing(one: list[MpsRecord], other: list[MpsRecord]) -> dict[str, int]:
    """How many records differ in mask, map, status or evaluations."""
    pairs = list(zip(one, other, strict=True))
    return {
        "mask": sum(not np.array_equal(a.mask, b.mask) for a, b in pairs),  # type: ignore[arg-type]
        "map": sum(not np.array_equal(a.landscape, b.landscape) for a, b in pairs),  # type: ignore[arg-type]
        "status": sum(a.status != b.status or a.target.label != b.target.label for a, b in pairs),
        "evaluations": sum(a.evaluations != b.evaluations for a, b in pairs),
    }


def picture_of(pixels: np.ndarray) -> Picture:
    """The image over a baseline of zeros."""
    return Picture(pixels, np.zeros((len(pixels), 1, 1), dtype=np.float32))


def images_of(chosen: argparse.Namespace) -> Images:
    """The first n images of the folder in the order of their names, as the model sees them."""
    card = ModelCard.model_validate_json(Path(chosen.card or chosen.model).with_suffix(".json").read_text())
    files = sorted(f for f in Path(chosen.images).rglob("*") if f.suffix.lower() in (".jpeg", ".jpg", ".png"))
    if len(files) < chosen.n:
        raise SystemExit(f"{chosen.images} has {len(files)} images, not {chosen.n}")
    return [(f.stem, card.preprocessing.pixels(decode(f.read_bytes(), f.name))) for f in files[: chosen.n]]


def driver() -> str:
    """The GPU and its driver, as nvidia-smi says."""
    return _smi("name,driver_version,memory.total") or "none"


def _smi(query: str) -> str:
    try:
        command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@contextmanager
def power() -> Iterator[list[float]]:
    """Inside, the GPU's draw is sampled; behind it the list holds its mean in watt, if the device tells."""
    samples: list[float] = []
    mean: list[float] = []
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(0.25):
            said = _smi("power.draw").splitlines()
            samples.extend(float(line) for line in said if line.replace(".", "").isdigit())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield mean
    finally:
        stop.set()
        thread.join()
        mean += [round(float(np.mean(samples)), 1)] if samples else []


def show(figures: dict[str, Any]) -> None:
    """One line of JSON each."""
    for name, value in figures.items():
        print(f"{name}: {json.dumps(value)}", flush=True)


if __name__ == "__main__":
    main()
