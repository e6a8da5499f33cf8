"""How cost grows: with images, iterations, input size and models; evaluations are exact, seconds are walls."""

from __future__ import annotations

import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from engine import Free
from engine import images as noise
from setting import MODELS, images_of

from mps_study import OnnxClassifier, SearchConfig, extract_mps

BLUE, ORANGE = "#0072B2", "#D55E00"


def grow(folder: str, start: int, out: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Measure and plot; returns axis -> (what, evaluations, seconds)."""
    lite0 = images_of(folder, start, 10, 8, "efficientnet_lite0")
    classifier = OnnxClassifier(MODELS / "efficientnet_lite0.onnx", "cpu")
    grown: dict[str, list[tuple[str, float, float]]] = {"images": [], "iterations": [], "input size": [], "models": []}
    for n in (1, 2, 4, 8):
        grown["images"].append((str(n), *_cost(lite0[:n], classifier, SearchConfig("minimal"))))
    for iterations in (1, 5, 10, 20):
        grown["iterations"].append(
            (str(iterations), *_cost(lite0[:2], classifier, SearchConfig(iterations=iterations)))
        )
    for side in (32, 64, 128, 224, 384, 512):
        grown["input size"].append((str(side), *_cost(list(noise(2, (3, side, side))), Free(), SearchConfig())))
    for model in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
        some = images_of(folder, start, 10, 4, model)
        one = OnnxClassifier(MODELS / f"{model}.onnx", "cpu")
        grown["models"].append((model.removeprefix("efficientnet_"), *_cost(some, one, SearchConfig("minimal"))))
    _plot(grown, out)
    return grown


def _cost(images: list[tuple[str, np.ndarray]], classifier: object, config: SearchConfig) -> tuple[float, float]:
    classifier.batch_size  # noqa: B018  measured at the first look
    began = time.perf_counter()
    records = list(extract_mps(iter(images), classifier, config))
    return float(sum(record.evaluations for record in records)), time.perf_counter() - began


def _plot(grown: dict[str, list[tuple[str, float, float]]], out: Path) -> None:
    titles = {
        "images": "images (minimal, Lite0)",
        "iterations": "iterations (rex, Lite0, 2 images)",
        "input size": "input side in pixels (rex, free classifier, 2 images)",
        "models": "model (minimal, 4 images)",
    }
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.5), layout="constrained")
    for ax, (axis, points) in zip(axes.flat, grown.items(), strict=True):
        names, evaluations, seconds = zip(*points, strict=True)
        x = np.arange(len(names))
        ax.bar(x, evaluations, 0.5, color=BLUE)
        ax.set_xticks(x, names)
        ax.set_xlabel(titles[axis])
        ax.set_ylabel("evaluations", color=BLUE)
        walls = ax.twinx()
        walls.plot(x, seconds, "o-", color=ORANGE)
        walls.set_ylabel("seconds", color=ORANGE)
        walls.set_ylim(bottom=0)
        ax.spines["top"].set_visible(False)
        walls.spines["top"].set_visible(False)
    figure.savefig(out, dpi=130)
    plt.close(figure)
