"""Two made-up studies that look like real ones: seeded blobs on scikit-image's photos."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage import data, transform
from synthetic_statistics import statistics_of

from mps_study.report import FIGURES, NothingToShow, StudyResults, to_png

GRID = 224
CLASSES = [
    "astronaut", "coffee mug", "tabby cat", "rocket", "espresso", "missile",
    "<script>alert(1)</script>", "Egyptian cat, a cat with a very long name indeed",
]  # fmt: skip
PHOTOS = {"astronaut": 0, "coffee": 1, "chelsea": 2, "rocket": 3}


@dataclass(frozen=True)
class Model:
    name: str
    architecture: str
    side: int
    area: float
    accuracy: float


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

    summary = summary_of(models, areas)
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
        class_names=CLASSES,
    )


def areas_of(models, images, photo_of, labelled, without, tiny) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for i, image in enumerate(images):
        label = PHOTOS[photo_of[image]]
        difficulty = rng.normal(0, 0.45)
        all_wrong, disputed = i == 6, i == 2
        for k, model in enumerate(models):
            right = rng.uniform() < model.accuracy and not all_wrong
            target = label if right else 6 if all_wrong else 4 + (k + i) % 4
            if disputed:
                target = label if k % 2 else 4 + k % 4
            right = target == label
            area = model.area * np.exp(difficulty + rng.normal(0, 0.35) + 0.3 * (not right))
            failed, few = (image, model.name) == without, (image, model.name) == tiny
            pixels = 9 if few else round(min(area, 0.9) * model.side**2)
            has_label = i < labelled
            rows.append({
                "image": image, "model": model.name, "architecture": model.architecture,
                "fingerprint": "f" * 8, "half": "labelled" if has_label else "unlabelled",
                "label": label if has_label else pd.NA, "target": target,
                "correct": right if has_label else pd.NA,
                "status": "unstable" if failed else "found",
                "reason": "no set passed when it was asked about alone" if failed else "",
                "pixels": pd.NA if failed else pixels,
                "area": np.nan if failed else pixels / model.side**2,
                "height": model.side, "width": model.side,
                "confidence": np.nan if failed else rng.uniform(0.05, 0.9),
                "target_confidence": rng.uniform(0.5, 1),
                "evaluations": int(rng.integers(1800, 5000)),
            })  # fmt: skip
    whole = ["label", "target", "pixels", "evaluations"]
    types = dict.fromkeys(whole, "Int64") | {"correct": "boolean"}
    return pd.DataFrame(rows).astype(types)


def manifest_of(images, photo_of, labelled) -> pd.DataFrame:
    label = [PHOTOS[photo_of[image]] for image in images]
    has_label = [i < labelled for i in range(len(images))]
    return pd.DataFrame({
        "image": images, "file": [f"{i:064x}.png" for i in range(len(images))],
        "sha256": [f"{i:064x}" for i in range(len(images))],
        "half": ["labelled" if has else "unlabelled" for has in has_label],
        "label": pd.Series(label, dtype="Int64").where(has_label),
        "class_name": pd.Series([CLASSES[n] for n in label]).where(has_label),
        "source": "synthetic", "width": 512, "height": 512,
    })  # fmt: skip


def overlaps_of(areas, mask, models, images) -> pd.DataFrame:
    facts = areas.set_index(["image", "model"])
    pairs = list(itertools.combinations(models, 2))
    rows = []
    for image in images:
        on_grid, away = {}, {}
        for model in models:
            kept = mask(image, model.name)
            if kept is not None:
                index = np.arange(GRID // 4) * model.side // (GRID // 4)
                coarse = kept[np.ix_(index, index)]
                coarse.flat[0] |= not coarse.any()
                on_grid[model.name] = coarse
                away[model.name] = 4 * ndimage.distance_transform_edt(~coarse)
        for a, b in pairs:
            both = a.name in on_grid and b.name in on_grid
            dice = iou = hausdorff = centroids = np.nan
            if both:
                one, other = on_grid[a.name], on_grid[b.name]
                common = (one & other).sum()
                dice, iou = 2 * common / (one.sum() + other.sum()), common / (one | other).sum()
                hausdorff = max(away[b.name][one].max(), away[a.name][other].max())
                centroids = 4 * np.hypot(*(np.argwhere(one).mean(axis=0) - np.argwhere(other).mean(axis=0)))
            rows.append({
                "image": image, "half": facts.loc[(image, a.name), "half"],
                "model_a": a.name, "model_b": b.name,
                "architecture_a": a.architecture, "architecture_b": b.architecture,
                "target_a": facts.loc[(image, a.name), "target"],
                "target_b": facts.loc[(image, b.name), "target"],
                "correct_a": facts.loc[(image, a.name), "correct"],
                "correct_b": facts.loc[(image, b.name), "correct"],
                "dice": dice, "iou": iou, "hausdorff": hausdorff,
                "hausdorff_ratio": hausdorff / (GRID * 2**0.5), "centroid_distance": centroids,
                "status": "ok" if both else "missing",
            })  # fmt: skip
    columns = [
        "image", "half", "model_a", "model_b", "architecture_a", "architecture_b", "target_a",
        "target_b", "correct_a", "correct_b", "dice", "iou", "hausdorff", "hausdorff_ratio",
        "centroid_distance", "status",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def summary_of(models, areas) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = []
    for model in models:
        mine = areas[areas["model"] == model.name]
        labelled = mine[mine["half"] == "labelled"]
        right = labelled["correct"].astype(bool)
        row: dict[str, Any] = {
            "architecture": model.architecture, "model": model.name, "n_labelled": len(labelled),
            "n_correct": int(right.sum()), "n_unlabelled": len(mine) - len(labelled),
            "accuracy": right.mean() if len(labelled) else np.nan,
        }  # fmt: skip
        parts = {
            "area_labelled": labelled, "area_correct": labelled[right],
            "area_incorrect": labelled[~right], "area_unlabelled": mine[mine["half"] != "labelled"],
        }  # fmt: skip
        for name, part in parts.items():
            values = part["area"].dropna().to_numpy()
            means = rng.choice(values, (200, len(values))).mean(axis=1) if len(values) else [np.nan]
            row |= {
                name: values.mean() if len(values) else np.nan,
                f"{name}_low": np.quantile(means, 0.025), f"{name}_high": np.quantile(means, 0.975),
                f"{name}_n": len(values),
            }  # fmt: skip
        row["area_paper_mean"] = np.nanmean([row[name] for name in parts])
        row["evaluations"] = mine["evaluations"].mean()
        rows.append(row)
    summary = pd.DataFrame(rows)
    best = summary.sort_values("accuracy", ascending=False).groupby("architecture").head(1).index
    return summary.assign(best=summary.index.isin(best))


def picture_or_reason(name: str, results: StudyResults) -> bytes | str:
    """A figure as the report gets it."""
    try:
        return to_png(FIGURES[name](results))
    except NothingToShow as nothing:
        return nothing.reason


def large_study() -> StudyResults:
    """5 architectures x 3 models x 22 images."""
    return study("large", LARGE, 16, 6, tiny=("val_0008", "vit_large"))


def small_study() -> StudyResults:
    """One architecture x 3 models x 8 images; one search has no MPS."""
    return study("miniature", SMALL, 8, 0, without=("val_0001", "lite1"))


def lucky_study() -> StudyResults:
    """One architecture of one model, right on every image, no landscape: little to show."""
    always_right = [Model("lite2", "EfficientNet", 260, 0.11, 1.01)]
    return study("lucky", always_right, 2, 2, landscapes=False)
