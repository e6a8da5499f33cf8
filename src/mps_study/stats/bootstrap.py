"""Percentile bootstrap intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from mps_study.stats.config import StatisticsConfig

Floats = np.ndarray[Any, np.dtype[np.float64]]


def bootstrap_interval(x: Floats, statistic: Callable[..., Any], config: StatisticsConfig) -> tuple[float, float]:
    """Low and high of `statistic(x, axis=...)` when the values of `x` (n,) are resampled.

    Percentile, not BCa: at perfect agreement BCa is undefined and a percentile is one point.
    With fewer than about ten values the interval is too narrow, as any percentile bootstrap is.
    """
    interval = stats.bootstrap(
        (x,),
        statistic,
        n_resamples=config.resamples,
        confidence_level=config.confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(config.seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)
