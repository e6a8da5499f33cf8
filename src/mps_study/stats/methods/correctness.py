"""Are the MPSs of wrong classifications larger (RQ3)? Mixed models with random intercepts."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.mixed import Fit, FitError, fit_area
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import found_area

RANDOM_INTERCEPTS = {
    "mixed model, random model": ("model",),
    "mixed model, random model and image": ("model", "image"),
}
"""Test to its random intercepts. The paper gives no formula: the first follows its reason for a
mixed model (accuracy differs by model), the second also matches images, crossed with models."""

GROUP = "all models, labelled"
CONTRAST = "incorrect - correct"

NO_SPREAD = 1e-12
"""Areas closer than this, far below one pixel, are equal."""


def mixed_model(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """What being incorrect adds to the area, twice a model: in percentage points and relative.

    Statistic is Wald's z and p is two-sided. The relative effect divides by the fitted mean of
    the correct, with a delta-method interval for the ratio; z and p are those of the points,
    because the hypothesis is the same. n counts rows; dropped, labelled rows without an MPS or
    a verdict. Skipped (one row a model) with fewer than `min_n` rows of either correctness, one
    model, no image seen twice, constant areas, or a fit that fails. A singular fit stays `ok`
    with a reason, as do other warnings of the library.
    """
    labelled = areas[areas["half"] == "labelled"]
    rows = labelled.assign(
        area=found_area(labelled),
        incorrect=1 - labelled["correct"].astype("Float64").astype("float64"),
    ).dropna(subset=["area", "incorrect"])
    rows = rows.sort_values(["model", "image"], ignore_index=True)
    dropped = len(labelled) - len(rows)
    table: list[Row] = []
    for test, intercepts in RANDOM_INTERCEPTS.items():
        for row in _rows(test, rows, intercepts, dropped, config):
            table += family([row], config.alpha)
    return to_frame(table)


def _rows(
    test: str,
    rows: pd.DataFrame,
    intercepts: tuple[str, ...],
    dropped: int,
    config: StatisticsConfig,
) -> list[Row]:
    reason = _unfit(rows, intercepts, config.min_n)
    if not reason:
        try:
            return _effects(test, fit_area(rows, intercepts), len(rows), dropped, config)
        except FitError as error:
            reason = str(error)
    return [skipped(test, GROUP, reason, CONTRAST, len(rows), dropped)]


def _unfit(rows: pd.DataFrame, intercepts: tuple[str, ...], min_n: int) -> str:
    incorrect = int(rows["incorrect"].sum())
    correct = len(rows) - incorrect
    if min(correct, incorrect) < min_n:
        return f"{correct} correct and {incorrect} incorrect; at least {min_n} each are needed"
    if np.ptp(rows["area"]) < NO_SPREAD:
        return "all areas are equal"
    for name in intercepts:
        levels = rows[name].nunique()
        if levels < 2 or levels == len(rows):
            return f"{levels} {name}(s) in {len(rows)} rows; at least 2, one seen twice, are needed"
    return ""


def _effects(test: str, fit: Fit, n: int, dropped: int, config: StatisticsConfig) -> list[Row]:
    correct, added = fit.effects
    error = float(np.sqrt(fit.covariance[1, 1]))
    z = float(added / error)
    reach = float(stats.norm.isf((1 - config.confidence) / 2))
    points = Row(
        test,
        GROUP,
        CONTRAST,
        statistic=z,
        p=float(2 * stats.norm.sf(abs(z))),
        effect=float(100 * added),
        effect_name="percentage points",
        ci_low=float(100 * (added - reach * error)),
        ci_high=float(100 * (added + reach * error)),
        confidence=config.confidence,
        n=n,
        dropped=dropped,
        reason=fit.notes,
    )
    ratio = float(added / correct)
    slope = np.array([-ratio, 1.0]) / correct  # of added / correct, for the delta method
    ratio_error = float(np.sqrt(slope @ fit.covariance @ slope))
    relative = replace(
        points,
        effect=ratio,
        effect_name="relative",
        ci_low=ratio - reach * ratio_error,
        ci_high=ratio + reach * ratio_error,
    )
    return [points, relative]
