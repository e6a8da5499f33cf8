"""Percentile bootstrap intervals."""

from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mps_study.stats.config import StatisticsConfig

TOGETHER = 250
"""Resamples of which the statistic is computed at once."""
Floats = np.ndarray[Any, np.dtype[np.float64]]


def bootstrap_interval(x: Floats, statistic: Callable[..., Any], config: StatisticsConfig) -> tuple[float, float]:
    """Low and high of `statistic(x, axis=...)` when the values of `x` (n,) are resampled.

    Percentile, not BCa: at perfect agreement BCa is undefined and a percentile is one point.
    Samples of one length share their draws, so that intervals are quickest when such samples come together.
    With fewer than about ten values the interval is too narrow, as any percentile bootstrap is.
    """
    positions = _positions(len(x), config.resamples, config.seed)
    parts = [statistic(x[positions[i : i + TOGETHER]], axis=-1) for i in range(0, config.resamples, TOGETHER)]
    drawn: Any = SimpleNamespace(bootstrap_distribution=np.concatenate(parts))
    interval = stats.bootstrap(
        (x,),
        statistic,
        n_resamples=0,
        confidence_level=config.confidence,
        method="percentile",
        vectorized=True,
        bootstrap_result=drawn,
    ).confidence_interval
    return float(interval.low), float(interval.high)


@lru_cache(maxsize=2)
def _positions(n: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """(resamples, n) which values are drawn; as `stats.bootstrap` draws them, which takes longer than all else."""
    return np.random.default_rng(seed).integers(0, n, (resamples, n))
