"""One row a model: sizes by half and correctness, accuracy, confidence, and the best model of each architecture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, bootstrap

GROUPS = ("labelled", "correct", "incorrect", "unlabelled")
BEST_RULE = (
    "highest accuracy on the labelled half; ties by the accuracy of the fine-tuned model, where a study has it; "
    "then by name"
)


def summarise_models(
    areas: pd.DataFrame,
    resamples: int = 2000,
    seed: int = 0,
    fine_tuned: Mapping[str, float] | None = None,
    fine_tuned_here: Collection[str] = (),
) -> pd.DataFrame:
    """The `model_summary` frame (docs/architecture.md): the paper's Tables 1 and 4 and more.

    Means are over images with status `found`; that of evaluations, over all that could be read. Accuracy is of the
    labelled images that could be read: no answer (`n_unanswered`) is not right. Intervals are 95 % BCa bootstrap
    intervals of the mean, NaN for fewer than two images; those of accuracy are Wilson's. `area_paper_area` and
    `area_paper_mean` are the paper's Area and Mean columns (see `paper_area`, `paper_mean`).

    Args:
        areas: the areas frame of one search.
        resamples: of the bootstrap.
        seed: of the bootstrap; each interval draws from its own stream.
        fine_tuned: model -> accuracy of its fine-tuned form (Table 4's second column), known from another
            study; models may be absent.
        fine_tuned_here: models that are fine-tuned in this study: their accuracy is this study's own.
    """
    rows = []
    for position, (model, group) in enumerate(areas.groupby("model", sort=False)):
        row = _summarise(str(model), group, resamples, [seed, position])
        known = row["accuracy"] if model in fine_tuned_here else (fine_tuned or {}).get(str(model), np.nan)
        rows.append(row | {"fine_tuned_accuracy": known})
    summary = with_best(pd.DataFrame(rows, columns=_columns()))
    return summary.convert_dtypes(convert_floating=False, convert_integer=False)


def with_best(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with `best`, and `best_by`: which part of `BEST_RULE` decided, empty for the others."""
    marked = summary.assign(best=False, best_by="", best_rule=BEST_RULE)
    keys = ["accuracy", "fine_tuned_accuracy", "model"]
    for _, group in summary.groupby("architecture", sort=False):
        ranked = group.sort_values(keys, ascending=[False, False, True], kind="stable")
        marked.loc[ranked.index[0], "best"] = True
        marked.loc[ranked.index[0], "best_by"] = _decided_by(ranked)
    return marked


def _decided_by(ranked: pd.DataFrame) -> str:
    if len(ranked) == 1:
        return "only model"
    for column, name in (("accuracy", "accuracy"), ("fine_tuned_accuracy", "fine-tuned accuracy")):
        first, second = ranked[column].iloc[:2]
        if not (first == second or (pd.isna(first) and pd.isna(second))):
            return name
    return "name"


def paper_area(correct: float, incorrect: float, accuracy: float) -> float:
    """The paper's Area column: the mean of Correct and Incorrect, weighted by accuracy.

    It is the mean over the labelled half alone. A column without images has no weight and may be NaN.
    """
    parts = [weight * area for weight, area in ((accuracy, correct), (1 - accuracy, incorrect)) if weight != 0]
    return float(sum(parts))


def paper_mean(area: float, correct: float, incorrect: float, unlabelled: float) -> float:
    """The paper's Mean column: the plain mean of the four area columns, in which labelled images count twice.

    NaN unless all four exist.
    """
    return float(np.mean([area, correct, incorrect, unlabelled]))


def _columns() -> list[str]:
    by_group = [f"area_{g}{s}" for g in GROUPS for s in ("", "_low", "_high", "_n")]
    return [
        "architecture",
        "model",
        "n_labelled",
        "n_correct",
        "n_unlabelled",
        "n_unanswered",
        "n_not_found",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "fine_tuned_accuracy",
        *by_group,
        "area_paper_area",
        "area_paper_mean",
        "confidence",
        "target_confidence",
        "dilation_survival",
        "dilation_n",
        "evaluations",
    ]


def _summarise(model: str, group: pd.DataFrame, resamples: int, seed: list[int]) -> dict[str, Any]:
    found = group["status"] == "found"
    area = group["area"].where(found)
    labelled = group["half"] == "labelled"
    correct = group["correct"].fillna(False).astype(bool)
    read = group["status"] != "failed"
    judged = labelled & read
    chosen = {
        "labelled": labelled,
        "correct": labelled & correct,
        "incorrect": labelled & ~correct,
        "unlabelled": ~labelled,
    }
    low, high = share_interval(int((judged & correct).sum()), int(judged.sum()))
    row: dict[str, Any] = {
        "architecture": group["architecture"].iloc[0],
        "model": model,
        "n_labelled": int(judged.sum()),
        "n_correct": int((judged & correct).sum()),
        "n_unlabelled": int((~labelled).sum()),
        "n_unanswered": int((read & group["target"].isna()).sum()),
        "n_not_found": int(area.isna().sum()),
        "accuracy": float(correct[judged].mean()) if judged.any() else np.nan,
        "accuracy_low": low,
        "accuracy_high": high,
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
    halves = (row["area_correct"], row["area_incorrect"])
    row["area_paper_area"] = paper_area(*halves, row["accuracy"])
    row["area_paper_mean"] = paper_mean(row["area_paper_area"], *halves, row["area_unlabelled"])
    return row | trust(group[found]) | {"evaluations": float(group.loc[read, "evaluations"].mean())}


def trust(found: pd.DataFrame) -> dict[str, Any]:
    """How sure the model is of its sets, and how many survive a one-pixel dilation of those that were asked."""
    survives = found["dilation_survives"].dropna() if "dilation_survives" in found else pd.Series(dtype=float)
    return {
        "confidence": float(found["confidence"].mean()),
        "target_confidence": float(found["target_confidence"].mean()),
        "dilation_survival": float(survives.astype(float).mean()) if len(survives) else np.nan,
        "dilation_n": len(survives),
    }


def share_interval(k: int, n: int) -> tuple[float, float]:
    """95 % Wilson interval of a share k / n; NaN when n is 0."""
    if n == 0:
        return float("nan"), float("nan")
    interval = binomtest(k, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


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
