"""The frames of a made-up study: areas, overlaps and summaries of seeded numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

GRID = 224
SOURCE_SIDE = 512
"""Of the source pictures; distances are made up as if every model saw all of them."""
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


def areas_of(models, images, photo_of, labelled, without, tiny) -> pd.DataFrame:
    rng, asked = np.random.default_rng(7), np.random.default_rng(8)
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
                "image": image, "model": model.name, "architecture": model.architecture, "search": "study",
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
                "dilation_survives": pd.NA if failed or i % 2 else asked.uniform() < 0.7,
                "evaluations": int(rng.integers(1800, 5000)),
            })  # fmt: skip
    whole = ["label", "target", "pixels", "evaluations"]
    types = dict.fromkeys(whole, "Int64") | {"correct": "boolean", "dilation_survives": "boolean"}
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
                centroids = (
                    4
                    * SOURCE_SIDE
                    / GRID
                    * np.hypot(*(np.argwhere(one).mean(axis=0) - np.argwhere(other).mean(axis=0)))
                )
            rows.append({
                "image": image, "half": facts.loc[(image, a.name), "half"],
                "model_a": a.name, "model_b": b.name,
                "architecture_a": a.architecture, "architecture_b": b.architecture,
                "target_a": facts.loc[(image, a.name), "target"],
                "target_b": facts.loc[(image, b.name), "target"],
                "correct_a": facts.loc[(image, a.name), "correct"],
                "correct_b": facts.loc[(image, b.name), "correct"],
                "dice": dice, "iou": iou, "hausdorff": hausdorff * SOURCE_SIDE / GRID,
                "hausdorff_ratio": hausdorff / (GRID * 2**0.5), "hausdorff_grid": hausdorff,
                "centroid_distance": centroids,
                "status": "ok" if both else "missing",
            })  # fmt: skip
    columns = [
        "image", "half", "model_a", "model_b", "architecture_a", "architecture_b", "target_a",
        "target_b", "correct_a", "correct_b", "dice", "iou", "hausdorff", "hausdorff_ratio",
        "hausdorff_grid", "centroid_distance", "status",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
