"""One row a model: sizes by half and correctness, accuracy, and the best model of each architecture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

GROUPS = ("labelled", "correct", "incorrect", "unlabelled")
BEST_RULE = "highest accuracy on the labelled half; ties by name"


def summarise_models(areas: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """The `model_summary` frame (docs/architecture.md): the paper's Table 1 and more.

    Means are over images with status `found`. Intervals are 95 % BCa bootstrap intervals of the mean, NaN for fewer
    than two images. `area_paper_mean` is the paper's Mean column, the mean of the four area columns, in which labelled
    images count twice; NaN unless all four exist.

    Args:
        areas: the areas frame.
        resamples: of the bootstrap.
        seed: of the bootstrap; each interval draws from its own stream.
    """
    rows = []
    for position, (model, group) in enumerate(areas.groupby("model", sort=False)):
        rows.append(_summarise(str(model), group, resamples, [seed, position]))
    summary = pd.DataFrame(rows, columns=_columns())
    summary["best"] = False
    for _, group in summary.groupby("architecture", sort=False):
        ranked = group.sort_values(["accuracy", "model"], ascending=[False, True], kind="stable")
        summary.loc[ranked.index[0], "best"] = True
    return summary.convert_dtypes(convert_floating=False, convert_integer=False)


def _columns() -> list[str]:
    by_group = [f"area_{g}{s}" for g in GROUPS for s in ("", "_low", "_high", "_n")]
    counts = ["n_labelled", "n_correct", "n_unlabelled", "n_not_found", "accuracy"]
    return [
        "architecture",
        "model",
        *counts,
        *by_group,
        "area_paper_mean",
        "confidence",
        "evaluations",
    ]


def _summarise(model: str, group: pd.DataFrame, resamples: int, seed: list[int]) -> dict[str, Any]:
    area = group["area"].where(group["status"] == "found")
    labelled = group["half"] == "labelled"
    correct = group["correct"].fillna(False).astype(bool)
    judged = labelled & group["target"].notna()
    chosen = {
        "labelled": labelled,
        "correct": labelled & correct,
        "incorrect": labelled & ~correct,
        "unlabelled": ~labelled,
    }
    row: dict[str, Any] = {
        "architecture": group["architecture"].iloc[0],
        "model": model,
        "n_labelled": int(judged.sum()),
        "n_correct": int((judged & correct).sum()),
        "n_unlabelled": int((~labelled).sum()),
        "n_not_found": int(area.isna().sum()),
        "accuracy": float(correct[judged].mean()) if judged.any() else np.nan,
    }
    for index, (name, rows) in enumerate(chosen.items()):
        values = area[rows].dropna().to_numpy(dtype=float)
        low, high = mean_interval(values, resamples, [*seed, index])
        row |= {
            f"area_{name}": float(values.mean()) if values.size else np.nan,
            f"area_{name}_low": low,
            f"area_{name}_high": high,
            f"area_{name}_n": int(values.size),
        }
    row["area_paper_mean"] = float(np.mean([row[f"area_{name}"] for name in GROUPS]))
    row["confidence"] = float(group["confidence"].mean())
    row["evaluations"] = float(group["evaluations"].mean())
    return row


def mean_interval(
    values: np.ndarray[Any, np.dtype[np.float64]], resamples: int, seed: list[int]
) -> tuple[float, float]:
    """95 % BCa bootstrap interval of the mean of values (n,); NaN for fewer than two, a point if all are equal."""
    if values.size < 2:
        return float("nan"), float("nan")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    interval = bootstrap((values,), np.mean, n_resamples=resamples, rng=np.random.default_rng(seed)).confidence_interval
    return float(interval.low), float(interval.high)
