"""Hypothesis tests on MPS sizes and positions: tidy frame in, tidy frame out."""

from .config import StatisticsConfig
from .rows import COLUMNS
from .run import STATISTICS, run_statistics
from .selections import SELECTIONS

__all__ = ["COLUMNS", "SELECTIONS", "STATISTICS", "StatisticsConfig", "run_statistics"]
