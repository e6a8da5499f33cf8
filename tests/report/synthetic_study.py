"""Two made-up studies that look like real ones: seeded blobs on scikit-image's photos."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd
from skimage import data, transform
from synthetic_frames import (
    CLASSES,
    PHOTOS,
    SOURCE_SIDE,
    Model,
    areas_of,
    manifest_of,
    overlaps_of,
)
from synthetic_statistics import statistics_of

from mps_study.measures.summary import summarise_models
from mps_study.report.facts.results import NothingToShow, Origin, Sighting, StudyResults
from mps_study.report.figures.all_figures import FIGURES
from mps_study.report.figures.style import to_png
from mps_study.report.tables.published import published

LARGE = [
    Model("convnext_large", "ConvNeXt", 384, 0.081, 0.86),
    Model("convnext_huge", "ConvNeXt", 512, 0.065, 0.90),
    Model("convnext_huge_v1", "ConvNeXt", 384, 0.050, 0.89),
    Model("eva02_large_v1", "EVA", 448, 0.066, 0.89),
    Model("eva02_large_v2", "EVA", 448, 0.070, 0.88),
    Model("eva_giant", "EVA", 560, 0.054, 0.92),
    Model("inception_resnet_v2", "Inception", 299, 0.25, 0.80),
    Model("inception_v3", "Inception", 299, 0.239, 0.78),
    Model("inception_v4", "Inception", 299, 0.23, 0.84),
    Model("resnet152_a1", "ResNet", 224, 0.142, 0.82),
    Model("resnet152_a2", "ResNet", 224, 0.144, 0.84),
    Model("resnet152d", "ResNet", 256, 0.134, 0.83),
    Model("vit_large", "ViT", 336, 0.099, 0.90),
    Model("vit_huge_v1", "ViT", 224, 0.156, 0.88),
    Model("vit_huge_v2", "ViT", 224, 0.103, 0.87),
]
SMALL = [
    Model("lite0", "EfficientNet", 224, 0.15, 0.75),
    Model("lite1", "EfficientNet", 240, 0.13, 0.80),
    Model("lite2", "EfficientNet", 260, 0.11, 0.85),
]


def view_of(side: int) -> tuple[float, float, float, float]:
    """What a model of this input size sees of a source picture: the smaller its input, the more is cropped away."""
    margin = SOURCE_SIDE * 0.02 * 224 / side
    return margin, margin, SOURCE_SIDE - margin, SOURCE_SIDE - margin


@functools.cache
def picture(name: str, side: int) -> np.ndarray:
    """A photo's middle square at one input size, (side, side, 3) uint8."""
    photo = getattr(data, name)()
    edge = min(photo.shape[:2])
    top, left = ((n - edge) // 2 for n in photo.shape[:2])
    square = photo[top : top + edge, left : left + edge]
    resized = transform.resize(square, (side, side), anti_aliasing=True)
    return (resized * 255).round().astype(np.uint8)


@functools.cache
def hills(image: int, model: str, side: int) -> np.ndarray:
    """Something like responsibility (side, side): peaks that models share in part, times noise."""
    shared = np.random.default_rng(image)
    own = np.random.default_rng([image, sum(model.encode())])
    y, x = np.mgrid[0:side, 0:side] / side
    height = np.zeros((side, side))
    for _ in range(3):
        centre = shared.uniform(0.25, 0.75, 2) + own.normal(0, 0.07, 2)
        spread = own.uniform(0.06, 0.15)
        height += own.uniform(0.4, 1) * np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * spread**2))
    rough = transform.resize(own.uniform(0.2, 1, (12, 12)), (side, side), order=1)
    height = (height * rough) ** 4
    return (height / height.max()).astype(np.float32)


def study(title: str, models: list[Model], labelled: int, unlabelled: int, **odd: Any) -> StudyResults:
    """A whole study; `odd` can name one search without an MPS, and one of very few pixels."""
    without, tiny = odd.get("without"), odd.get("tiny")
    images = [f"val_{i:04d}" for i in range(labelled + unlabelled)]
    numbers = {image: i for i, image in enumerate(images)}
    photo_of = {image: list(PHOTOS)[i % 4] for image, i in numbers.items()}
    sides = {model.name: model.side for model in models}
    areas = areas_of(models, images, photo_of, labelled, without, tiny)
    share = areas.set_index(["image", "model"])["area"]

    def mask(image: str, model: str) -> np.ndarray | None:
        if pd.isna(share[image, model]):
            return None
        height = hills(numbers[image], model, sides[model])
        kept = max(1, round(share[image, model] * height.size))
        return height >= np.partition(height.ravel(), -kept)[-kept]

    def landscape(image: str, model: str) -> np.ndarray | None:
        stored = odd.get("landscapes", True) and numbers[image] % 3 == 0
        return hills(numbers[image], model, sides[model]) if stored else None

    summary = summarise_models(areas, resamples=200, fine_tuned={"eva_giant": 0.94, "vit_large": 1.0})
    numbers_of = published().drop_duplicates("timm").set_index("subject")["timm"]
    origins = {m.name: Origin(numbers_of[m.name], "hub") for m in models if m.name in numbers_of}

    def several(image: str, model: str) -> list[np.ndarray]:
        whole = mask(image, model)
        if numbers[image] != odd.get("several") or whole is None:
            return []
        return [whole, *(hills(numbers[image] + 90 + k, model, sides[model]) > 0.3 for k in range(2))]

    overlaps = overlaps_of(areas, mask, models, images)
    return StudyResults(
        title=title,
        manifest=manifest_of(images, photo_of, labelled),
        areas=areas,
        overlaps=overlaps,
        model_summary=summary,
        statistics=statistics_of(areas, overlaps, summary),
        provenance={
            "date": "2025-01-31 12:00 UTC",
            "seed": 0,
            "search": {"strategy": "rex", "cuts": "rex", "iterations": 20, "baseline": 0.0},
            "versions": {"python": "3.11.9", "numpy": "2.2.1", "onnxruntime": "1.22.0"},
            "fingerprints": {m.name: f"{sum(m.name.encode()):064x}" for m in models},
            "labels": ["a & b", "<b>not bold</b>"],
        },
        photo=lambda image, model: picture(photo_of[image], sides[model]),
        mask=mask,
        landscape=landscape,
        picture=lambda image: picture(photo_of[image], SOURCE_SIDE),
        sighting=lambda image, model: Sighting(
            view_of(sides[model]), mask(image, model), landscape(image, model), several(image, model)[1:]
        ),
        view=lambda image, model: view_of(sides[model]),
        class_names=CLASSES,
        several=several,
        origins=origins,
    )


def picture_or_reason(name: str, results: StudyResults) -> bytes | str:
    """A figure as the report gets it."""
    try:
        return to_png(FIGURES[name](results))
    except NothingToShow as nothing:
        return nothing.reason


def large_study() -> StudyResults:
    """5 architectures x 3 models x 22 images."""
    return study("large", LARGE, 16, 6, tiny=("val_0008", "vit_large"), several=9)


def small_study() -> StudyResults:
    """One architecture x 3 models x 8 images; one search has no MPS."""
    return study("miniature", SMALL, 8, 0, without=("val_0001", "lite1"))


def lucky_study() -> StudyResults:
    """One architecture of one model, right on every image, no landscape: little to show."""
    always_right = [Model("lite2", "EfficientNet", 260, 0.11, 1.01)]
    return study("lucky", always_right, 2, 2, landscapes=False)


def pair_study() -> StudyResults:
    """Two architectures of one model each x 12 images."""
    return study("pair", [LARGE[1], LARGE[9]], 12, 0)
