"""What was made quick, against the simple versions that it replaces, to the bit."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mps_study.stats.bootstrap import bootstrap_interval
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.wilcoxon import rank_biserial
from mps_study.stats.samples.selections import Answers, select, tied_votes


@pytest.mark.parametrize("statistic", [np.mean, rank_biserial])
@pytest.mark.parametrize("n", [2, 9, 150])
def test_intervals_are_those_of_scipys_bootstrap(statistic, n):
    config = StatisticsConfig(resamples=610, seed=5)  # not a multiple of what is computed at once
    for seed in range(3):  # the second and third share the draws of the first
        x = np.random.default_rng(seed).normal(0.2, 1, n).round(2)
        slow = stats.bootstrap(
            (x,), statistic, n_resamples=610, confidence_level=config.confidence, method="percentile", vectorized=True,
            rng=np.random.default_rng(5),
        ).confidence_interval  # fmt: skip
        assert bootstrap_interval(x, statistic, config) == (slow.low, slow.high)


@pytest.mark.parametrize("models", range(6))
def test_votes_are_counted_as_pandas_counts_them(models):
    random = np.random.default_rng(models)
    index = pd.Index([f"i{i:02d}" for i in range(99)], name="image")
    half = pd.Series(random.choice(["labelled", "unlabelled"], 99), index=index)
    target = pd.DataFrame(random.integers(0, 3, (99, models)).astype(float), index=index)
    target = target.mask(random.random(target.shape) < 0.1)
    given = Answers(half, target, target == 1)
    slow = (half == "unlabelled") & target.notna().all(axis=1) & (target.mode(axis=1).notna().sum(axis=1) > 1)
    assert tied_votes(given).tolist() == slow.tolist()
    agreed = select(given, "unlabelled, same answer by all")
    known = target.notna().all(axis=1) & (half == "unlabelled")
    assert agreed[known].tolist() == (target.nunique(axis=1) == 1)[known].tolist()
