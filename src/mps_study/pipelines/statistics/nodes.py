"""Nodes of the statistics pipeline."""

from __future__ import annotations

import pandas as pd

from mps_study.stats import StatisticsConfig, run_statistics


def compute_statistics(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    statistics: StatisticsConfig,
) -> pd.DataFrame:
    """The `statistics` frame."""
    return run_statistics(areas, overlaps, model_summary, statistics)
