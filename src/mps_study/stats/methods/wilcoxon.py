"""Which treatments differ on the same images: paired Wilcoxon signed-rank tests."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from mps_study.stats.bootstrap import Floats, bootstrap_interval
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import DECIMALS, Matched, best_models, matched_samples


def wilcoxon(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """All paired contrasts of each matched sample, whatever its Friedman p; one family a sample.

    Contrasts use the sample's complete blocks, so that all rest on the same images. Zero
    differences are left out and counted in `dropped` (Wilcoxon's own rule, as in R); fewer than
    `min_n` differences are a skipped row. p is exact up to 50 differences without ties, an
    exhaustive permutation up to 13 with ties, otherwise normal with continuity correction.
    Statistic is the smaller rank sum; effect is the matched-pairs rank-biserial correlation,
    its interval a percentile bootstrap over images.
    """
    rows: list[Row] = []
    for sample in matched_samples(areas, best_models(model_summary)):
        rows += family(_contrasts(sample, config), config.alpha)
    return to_frame(rows)


def _contrasts(sample: Matched, config: StatisticsConfig) -> list[Row]:
    n, k = sample.table.shape
    if k < 2:
        reason = f"{k} treatment(s) to compare; at least 2 are needed"
        return [skipped("wilcoxon signed-rank", sample.group, reason, n=n, dropped=sample.dropped)]
    return [paired_contrast(sample, a, b, config) for a, b in combinations(sample.table.columns, 2)]


def paired_contrast(sample: Matched, a: str, b: str, config: StatisticsConfig) -> Row:
    """The row of treatment a against treatment b, not yet adjusted; see `wilcoxon`."""
    difference = (sample.table[a] - sample.table[b]).to_numpy().round(DECIMALS)
    d = difference[difference != 0]
    zeros = len(difference) - len(d)
    test, contrast, dropped = "wilcoxon signed-rank", f"{a} - {b}", sample.dropped + zeros
    if len(d) < config.min_n:
        reason = f"{len(d)} difference(s) other than zero; at least {config.min_n} are needed"
        return skipped(test, sample.group, reason, contrast, len(d), dropped)
    w, p = stats.wilcoxon(d, correction=True)
    low, high = bootstrap_interval(d, rank_biserial, config)
    return Row(
        test,
        sample.group,
        contrast,
        statistic=float(w),
        p=float(p),
        effect=float(rank_biserial(d)),
        effect_name="matched-pairs rank-biserial",
        ci_low=low,
        ci_high=high,
        confidence=config.confidence,
        n=len(d),
        dropped=dropped,
        reason=f"{zeros} zero difference(s) left out" if zeros else "",
    )


def rank_biserial(d: Floats, axis: int = -1) -> Floats:
    """Share of the rank sum that is positive less the share that is negative, along `axis`.

    Kerby 2014, Comprehensive Psychology 3:11. `d` holds differences, none zero.
    """
    ranks = stats.rankdata(np.abs(d), axis=axis)
    share: Floats = (np.sign(d) * ranks).sum(axis=axis) / ranks.sum(axis=axis)
    return share
