"""The row that every question answers with, and intervals of what is measured on images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.measures.summary import mean_interval, share_interval

COLUMNS = {
    "question": "string",
    "model": "string",
    "other": "string",
    "search": "string",
    "share": "float64",
    "condition": "string",
    "measure": "string",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "n": "Int64",
    "missing": "string",
}

ALL = "all models"
"""In place of a model: all of them together, images being what is resampled."""


@dataclass(frozen=True)
class Row:
    """One measured number; the fields are the columns of the `trust` frame.

    `model`, `other`, `search`, `condition` are empty and `share` NaN where a number is not of one. `low` and `high` are
    a 95 % interval, NaN where none can be had. `n` counts images, or models where models are compared. A question that
    the data do not carry keeps a row whose `missing` says why.
    """

    question: str
    measure: str
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0
    model: str = ""
    other: str = ""
    search: str = ""
    share: float = float("nan")
    condition: str = ""
    missing: str = ""


def row(question: str, measure: str, *parts: Mapping[str, Any]) -> Row:
    """A row of fields that come together: what it is of, and what was found."""
    return Row(question, measure, **{name: value for part in parts for name, value in part.items()})


def to_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """The rows as a frame, also when there are none."""
    return pd.DataFrame([asdict(each) for each in rows], columns=list(COLUMNS)).astype(COLUMNS)


def mean_of(values: pd.Series, resamples: int, seed: int) -> dict[str, float | int]:
    """Mean of one value an image, with its interval and n: Wilson's for truths, else BCa bootstrap by image."""
    values = values.dropna()
    if not len(values):
        return {"value": float("nan"), "n": 0}
    numbers = values.to_numpy(dtype=float)
    if np.isin(numbers, (0.0, 1.0)).all():
        low, high = share_interval(int(numbers.sum()), len(numbers))
    else:
        low, high = mean_interval(numbers, resamples, [seed, len(numbers)])
    return {"value": float(numbers.mean()), "low": low, "high": high, "n": len(numbers)}


def weights_of(images: pd.Series, resamples: int, seed: int) -> NDArray[np.float64]:
    """(resamples, rows) how often each row is drawn when images are: all rows of an image are drawn together."""
    codes, names = pd.factorize(images)
    weights: NDArray[np.float64] = _drawn(len(names), resamples, seed)[:, codes]
    return weights


@lru_cache(maxsize=4)
def _drawn(n: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """(resamples, n) how often each of n is drawn; shared by samples of this size, since drawing takes longest."""
    positions = np.random.default_rng([seed, n]).integers(0, n, (resamples, n))
    offsets = np.arange(resamples)[:, None] * n
    counts = np.bincount((positions + offsets).ravel(), minlength=resamples * n)
    return counts.reshape(resamples, n).astype(np.float64)


def percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of resampled values; NaN where hardly any could be computed."""
    finite = values[np.isfinite(values)]
    if len(finite) < 0.5 * len(values) or not len(finite):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
