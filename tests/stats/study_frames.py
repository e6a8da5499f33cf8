"""Made-up studies with the columns and dtypes that the other rooms deliver."""

from itertools import combinations

import numpy as np
import pandas as pd

ARCHITECTURES = ("convnext", "eva", "inception", "resnet", "vit")


def study(
    architectures: int = 5, models: int = 3, labelled: int = 30, unlabelled: int = 30, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Areas, overlaps and model_summary; model 0 of an architecture is its best.

    Areas differ by architecture and model, incorrect answers add 2.6 points, one row in twenty
    has no MPS.
    """
    rng = np.random.default_rng(seed)
    images = labelled + unlabelled
    difficulty = rng.normal(0, 1, images)
    easy = rng.normal(0, 0.03, images)
    rows = []
    for a, architecture in enumerate(ARCHITECTURES[:architectures]):
        for m in range(models):
            level = 0.08 + 0.04 * a + 0.01 * m
            for i in range(images):
                right = rng.normal(1.3, 0.7) > difficulty[i]
                area = level + easy[i] + 0.026 * (not right) + rng.gamma(2, 0.02)
                found = rng.random() > 0.05
                rows.append(
                    {
                        "image": f"image_{i:04d}",
                        "model": f"{architecture}_{m}",
                        "architecture": architecture,
                        "search": "study",
                        "half": "labelled" if i < labelled else "unlabelled",
                        "label": i % 10 if i < labelled else None,
                        "target": i % 10 if right else (i + 1 + int(rng.integers(2))) % 10,
                        "correct": bool(right) if i < labelled else None,
                        "status": "found" if found else "budget exhausted",
                        "area": float(np.clip(area, 0.001, 1)) if found else np.nan,
                    }
                )
    areas = typed_areas(pd.DataFrame(rows))
    return {
        "areas": areas,
        "overlaps": overlaps_of(areas, rng),
        "model_summary": summary_of(areas, best_suffix="_0"),
    }


def typed_areas(areas: pd.DataFrame) -> pd.DataFrame:
    return areas.astype({"label": "Int64", "target": "Int64", "correct": "boolean", "area": "float64"})


def summary_of(areas: pd.DataFrame, best_suffix: str) -> pd.DataFrame:
    models = areas[["architecture", "model"]].drop_duplicates(ignore_index=True)
    return models.assign(best=models["model"].str.endswith(best_suffix).astype("boolean"))


def overlaps_of(areas: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    area = areas.pivot(index="image", columns="model", values="area")
    parts = []
    for a, b in combinations(area.columns, 2):
        missing = area[[a, b]].isna().any(axis=1)
        near = 0.1 if a.split("_")[0] == b.split("_")[0] else 0.0
        dice = pd.Series(rng.beta(2, 6, len(area)) + near, area.index).clip(0, 1).mask(missing)
        parts.append(
            pd.DataFrame({"model_a": a, "model_b": b, "dice": dice, "hausdorff": 150 * (1 - dice)})
            .assign(iou=lambda t: t["dice"] / (2 - t["dice"]), centroid_distance=lambda t: t["hausdorff"] / 2)
            .assign(hausdorff_ratio=lambda t: t["hausdorff"] / 625, hausdorff_grid=lambda t: t["hausdorff"] / 2)
            .rename_axis("image")
            .reset_index()
        )
    columns = ["image", "model_a", "model_b", "dice", "hausdorff", "iou", "centroid_distance"]
    columns += ["hausdorff_ratio", "hausdorff_grid"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
