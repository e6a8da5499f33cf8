"""Tests of what sets say about models: beside what people marked, of their parts, of confidence and size."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from mps_study.common.searches import OWN
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.friedman import friedman_row
from mps_study.stats.methods.mixed import FitError, fit_area
from mps_study.stats.methods.wilcoxon import paired_contrast
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import complete, found_area

INSIDE, CHANCE = "inside the object", "chance"


def inside_wilcoxon(areas: pd.DataFrame, agreement: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """Share of each set inside the object against what the same set has inside by chance, paired by image.

    One row a model, all models one family; no rows in a study without annotations.
    """
    rows = []
    for model, table in _inside(agreement):
        pair = complete(f"sets of {model} and what people marked", table)
        rows.append(paired_contrast(pair, INSIDE, CHANCE, config))
    return to_frame(family(rows, config.alpha))


def inside_friedman(areas: pd.DataFrame, agreement: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """Whether models differ in how much more than by chance of their sets lies inside the object; images are blocks."""
    tables = {model: table[INSIDE] - table[CHANCE] for model, table in _inside(agreement)}
    if len(tables) < 3:
        return to_frame([])
    sample = complete("sets inside the object, more than by chance", pd.DataFrame(tables).sort_index(axis=1))
    return to_frame(family([friedman_row("friedman", sample, config.min_n)], config.alpha))


def parts_friedman(areas: pd.DataFrame, sub_explanations: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """Whether architectures differ in how slowly confidence falls as tiles are deleted: area under the curve, the mean
    over an architecture's models, images being blocks. No rows with fewer than three architectures.
    """
    if not len(sub_explanations):
        return to_frame([])
    own = sub_explanations[(sub_explanations["search"] == OWN) & (sub_explanations["missing"] == "")]
    table = own.pivot_table(index="image", columns="architecture", values="curve_area", aggfunc="mean")
    if table.shape[1] < 3:
        return to_frame([])
    sample = complete("curve of confidence as tiles are deleted", table)
    return to_frame(family([friedman_row("friedman", sample, config.min_n)], config.alpha))


def confidence_mixed(areas: pd.DataFrame, _: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """What the natural logarithm of the area gains per unit of confidence: of the whole image, and of the set alone.

    Mixed models by REML with crossed intercepts of model and image, Wald's z; both are one family. Rows of the study's
    own search with a set.
    """
    own = areas[areas["search"] == OWN]
    told = own.assign(area=np.log(found_area(own)))
    rows = [
        _slope(told, column, name, config)
        for column, name in (("target_confidence", "confidence of the image"), ("confidence", "confidence of the set"))
        if column in told
    ]
    return to_frame(family(rows, config.alpha))


def _slope(told: pd.DataFrame, column: str, name: str, config: StatisticsConfig) -> Row:
    test, group = "mixed model of log area, random model and image", "all models, all images"
    rows = told.assign(incorrect=told[column].astype(float)).dropna(subset=["area", "incorrect"])
    rows = rows.sort_values(["model", "image"], ignore_index=True)
    n, dropped = len(rows), len(told) - len(rows)
    if rows["model"].nunique() < 2 or rows["image"].nunique() < config.min_n:
        reason = f"{rows['model'].nunique()} model(s) and {rows['image'].nunique()} images; at least 2 and "
        return skipped(test, group, f"{reason}{config.min_n} are needed", name, n, dropped)
    if min(np.ptp(rows["area"]), np.ptp(rows["incorrect"])) < 1e-12:
        return skipped(test, group, "all areas or confidences are equal", name, n, dropped)
    try:
        fit = fit_area(rows, ("model", "image"))
    except FitError as error:
        return skipped(test, group, str(error), name, n, dropped)
    slope, error_of = float(fit.effects[1]), float(np.sqrt(fit.covariance[1, 1]))
    reach = float(stats.norm.isf((1 - config.confidence) / 2))
    z = slope / error_of
    return Row(
        test,
        group,
        name,
        statistic=z,
        p=float(2 * stats.norm.sf(abs(z))),
        effect=slope,
        effect_name="log area per unit of confidence",
        ci_low=slope - reach * error_of,
        ci_high=slope + reach * error_of,
        confidence=config.confidence,
        n=n,
        dropped=dropped,
        reason=fit.notes,
    )


def _inside(agreement: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Of every model with annotated sets of the study's own search: image x share inside, and by chance."""
    if not len(agreement):
        return
    own = agreement[(agreement["search"] == OWN) & (agreement["missing"] == "")]
    for model, rows in own.groupby("model", sort=False):
        table = rows.set_index("image")[["inside", "chance_same_shape"]]
        yield str(model), table.set_axis([INSIDE, CHANCE], axis=1)
