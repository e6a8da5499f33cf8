"""Nodes of the statistics pipeline."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.stats.config import StatisticsConfig


def compute_statistics(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    statistics: StatisticsConfig,
) -> pd.DataFrame:
    """The `statistics` frame."""
    # statsmodels takes seconds, which other pipelines need not wait for
    from mps_study.stats.run import SEARCH_STATISTICS, STATISTICS, run_statistics

    bar = partial(with_progress, total=len(STATISTICS) + len(SEARCH_STATISTICS), description="testing", unit="test")
    return run_statistics(areas, overlaps, model_summary, statistics, bar)
