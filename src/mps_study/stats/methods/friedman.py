"""Differences between treatments on the same images: Friedman, the leading test."""

import numpy as np
import pandas as pd
from scipy import stats

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import Matched, best_models, matched_samples


def friedman(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """One Friedman row for each of the matched samples; effect is Kendall's W, n counts blocks.

    Images are blocks. Treatments are the models of one architecture (the paper's test), the
    per-image means of the architectures (our leading test), or the best models on the images
    that all of them get right (the matched twin of the paper's Kruskal-Wallis).
    """
    rows: list[Row] = []
    for sample in matched_samples(areas, best_models(model_summary)):
        rows += family([friedman_row("friedman", sample, config.min_n)], config.alpha)
    return to_frame(rows)


def friedman_row(test: str, sample: Matched, min_n: int) -> Row:
    """Friedman's chi-squared, corrected for ties, over the complete blocks of `sample`.

    Skipped with fewer than three treatments (with two, the Wilcoxon row says all there is),
    fewer than `min_n` blocks, or when every block is tied throughout.
    """
    n, k = sample.table.shape
    if reason := _unfit(sample, min_n):
        return skipped(test, sample.group, reason, n=n, dropped=sample.dropped)
    chi2, p = stats.friedmanchisquare(*sample.table.to_numpy().T)
    return Row(
        test,
        sample.group,
        statistic=float(chi2),
        df=k - 1,
        p=float(p),
        effect=float(chi2) / (n * (k - 1)),  # Kendall & Babington Smith 1939
        effect_name="kendall's w",
        n=n,
        dropped=sample.dropped,
    )


def _unfit(sample: Matched, min_n: int) -> str:
    n, k = sample.table.shape
    if k < 3:
        return f"{k} treatment(s) to compare; at least 3 are needed"
    if n < min_n:
        return f"{n} complete block(s); at least {min_n} are needed"
    tied = np.ptp(sample.table.to_numpy(), axis=1) == 0
    return "every block is tied throughout" if tied.all() else ""
