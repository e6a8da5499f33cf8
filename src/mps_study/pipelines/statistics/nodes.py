"""Nodes of the statistics pipeline."""

from __future__ import annotations

from functools import partial

import pandas as pd

from mps_study.common.progress import with_progress
from mps_study.pipelines.metrics.measures import of_this_study
from mps_study.stats.config import StatisticsConfig


def compute_statistics(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    agreement: pd.DataFrame,
    sub_explanations: pd.DataFrame,
    more_sets: pd.DataFrame,
    statistics: StatisticsConfig,
) -> pd.DataFrame:
    """The `statistics` frame."""
    # statsmodels takes seconds, which other pipelines need not wait for
    from mps_study.stats.run import FLOOR_STATISTICS, SEARCH_STATISTICS, STATISTICS, TRUST_STATISTICS, run_statistics

    tests = len(STATISTICS) + len(SEARCH_STATISTICS) + len(FLOOR_STATISTICS) + len(TRUST_STATISTICS)
    bar = partial(with_progress, total=tests, description="testing", unit="test")
    known = areas[["model", "fingerprint"]].drop_duplicates().itertuples(index=False, name=None)
    parts = of_this_study(sub_explanations, "sub_explanations", [(str(model), str(mark)) for model, mark in known])
    return run_statistics(areas, overlaps, model_summary, statistics, agreement, parts, more_sets, bar)
