"""What every benchmark shares: the model, the images, the machine, a classifier that counts, a table row."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mps_study.images.decoding import decode
from mps_study.images.sources import candidates_of
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.throughput import machine, measure
from mps_study.mps.types import Reply, Slice

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "data" / "base" / "04_models"
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One measured figure: what it is, the bar, the median over `n` and the range."""

    measure: str
    must: str
    reach: str
    value: str
    n: int
    low: str = ""
    high: str = ""


@dataclass
class Counted:
    """A classifier that counts the rows that the model really evaluates, questions asked again included."""

    inner: OnnxClassifier
    rows: int = 0
    counts: list[int] = field(default_factory=list)

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
        reply = self.inner.classify(batch)
        self.counts.append(len(reply.labels))
        return reply

    def take(self) -> int:
        """Rows since the last look."""
        rows, self.counts = sum(self.counts), []
        return rows


def card_of(model: str) -> ModelCard:
    """The card of an exported model of the base study."""
    path = MODELS / f"{model}.json"
    if not path.is_file():
        raise SystemExit(f"{path} is missing; run `kedro run --pipelines model_export` first")
    return ModelCard.model_validate_json(path.read_text())


def images_of(folder: str, start: int, step: int, n: int, model: str) -> list[tuple[str, np.ndarray]]:
    """Every `step`-th image of a folder source from the `start`-th on, at most n, as the model sees them."""
    found = sorted(candidates_of({"kind": "folder", "path": folder}), key=lambda candidate: candidate.image)
    chosen = found[start::step][:n]
    if len(chosen) < n:
        raise SystemExit(f"{folder} has {len(found)} images: not {n} of them from {start} in steps of {step}")
    preprocessing = card_of(model).preprocessing
    return [(c.image, preprocessing.pixels(decode(c.read(), c.image))) for c in chosen]


def raw_rate(classifier: OnnxClassifier) -> float:
    """The model's best throughput now, in evaluations a second, of eight trials: nothing painted, nothing searched."""
    shape = tuple(size or 224 for size in classifier.input_shape)
    batch, workers = [classifier.batch_size], [classifier.workers]

    def ask(n: int) -> object:
        return classifier.logits(np.zeros((n, *shape), dtype=np.float32))

    return max(measure(ask, batch, workers).evaluations_per_second for _ in range(8))


def spread(values: Sequence[float], digits: int = 2) -> dict[str, Any]:
    """Median and range of values, as text."""
    median = float(np.median(values))
    return {
        "value": f"{median:.{digits}f}",
        "n": len(values),
        "low": f"{min(values):.{digits}f}",
        "high": f"{max(values):.{digits}f}",
    }


def facts() -> dict[str, str]:
    """The machine and the commit."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    changed = subprocess.run(["git", "status", "--porcelain", "src"], capture_output=True, text=True, cwd=ROOT)
    return {
        "machine": machine("cpu"),
        "system": platform.platform(terse=True),
        "commit": commit.stdout.strip() + (" with changes" if changed.stdout.strip() else ""),
    }


def rows_as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For JSON."""
    return [asdict(row) for row in rows]
