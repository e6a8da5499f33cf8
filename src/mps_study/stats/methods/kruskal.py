"""Differences between architectures, images taken as independent: Kruskal-Wallis and Dunn.

The paper's test. Every model sees the same images, so the rows are not independent and these
p-values are only a reproduction; the matched tests lead.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scikit_posthocs import posthoc_dunn
from scipy import stats

from mps_study.stats.bootstrap import Floats
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import Independent, best_models, independent_samples


def kruskal_wallis(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """One Kruskal-Wallis row for each of the independent samples; effect is epsilon-squared.

    Statistic is H, corrected for ties; n counts values. Skipped with fewer than two
    architectures, fewer than `min_n` values in one, or all values equal.
    """
    rows: list[Row] = []
    for sample in independent_samples(areas, best_models(model_summary)):
        rows += family([_omnibus(sample, config)], config.alpha)
    return to_frame(rows)


def dunn(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """Dunn's contrasts after each Kruskal-Wallis, whatever its p; one family a sample.

    Statistic is z, positive when the first architecture ranks higher among all architectures;
    effect is the rank-biserial correlation of the two alone, so in rare cases their signs
    differ. No interval: resampling rows that share images would be too narrow. One skipped row
    stands for the contrasts of a skipped Kruskal-Wallis.
    """
    rows: list[Row] = []
    for sample in independent_samples(areas, best_models(model_summary)):
        rows += family(_contrasts(sample, config), config.alpha)
    return to_frame(rows)


def _omnibus(sample: Independent, config: StatisticsConfig) -> Row:
    n = sum(map(len, sample.values.values()))
    dropped = sum(sample.dropped.values())
    if reason := sample.unfit(config.min_n):
        return skipped("kruskal-wallis", sample.group, reason, n=n, dropped=dropped)
    h, p = stats.kruskal(*sample.values.values())
    return Row(
        "kruskal-wallis",
        sample.group,
        statistic=float(h),
        df=len(sample.values) - 1,
        p=float(p),
        effect=float(h) / (n - 1),  # Tomczak & Tomczak 2014, Trends in Sport Sciences 1(21)
        effect_name="epsilon-squared",
        n=n,
        dropped=dropped,
    )


def _contrasts(sample: Independent, config: StatisticsConfig) -> list[Row]:
    if reason := sample.unfit(config.min_n):
        n, dropped = sum(map(len, sample.values.values())), sum(sample.dropped.values())
        return [skipped("dunn", sample.group, reason, n=n, dropped=dropped)]
    tidy = pd.concat([pd.DataFrame({"architecture": a, "area": x}) for a, x in sample.values.items()])
    p = posthoc_dunn(tidy, val_col="area", group_col="architecture")
    rank = tidy["area"].rank().groupby(tidy["architecture"].to_numpy()).mean()
    return [
        Row(
            "dunn",
            sample.group,
            f"{a} - {b}",
            statistic=_signed_z(p.loc[a, b], rank[a] - rank[b]),
            p=float(p.loc[a, b]),
            effect=_rank_biserial(sample.values[a], sample.values[b]),
            effect_name="rank-biserial",
            n=len(sample.values[a]) + len(sample.values[b]),
            dropped=sample.dropped[a] + sample.dropped[b],
        )
        for a, b in combinations(sample.values, 2)
    ]


def _signed_z(p: float, direction: float) -> float:
    z = float(np.copysign(stats.norm.isf(p / 2), direction))
    return z if np.isfinite(z) else float("nan")  # p too small for a float


def _rank_biserial(
    a: Floats,
    b: Floats,
) -> float:
    """P(a > b) - P(a < b), from -1 to 1 (Kerby 2014, Comprehensive Psychology 3:11)."""
    u = stats.mannwhitneyu(a, b, method="asymptotic").statistic
    return float(2 * u / (len(a) * len(b)) - 1)
