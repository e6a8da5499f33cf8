"""How sets change with the search: searches of one model, compared on the same images."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mps_study.common.searches import OWN
from mps_study.stats.bootstrap import bootstrap_interval
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.friedman import friedman_row
from mps_study.stats.methods.wilcoxon import paired_contrast
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import DECIMALS, Matched, complete, found_area

DIFFERENCE = "mean difference of searches"


def search_differences(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """Mean area of each further search less that of the study's own, and of each less those of `config.against`.

    On the images on which both found a set. One row a model and pair, a description, so p is NaN; the interval is a
    percentile bootstrap over images. Dropped counts images without both sets; fewer than `min_n` images are a skipped
    row.
    """
    return to_frame(family([difference_row(pair, config) for pair in _pairs(areas, config)], config.alpha))


def search_wilcoxon(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """The same pairs, tested as in `wilcoxon`; all models and searches of the study are one family."""
    rows = [paired_contrast(pair, *names_of(pair), config) for pair in _pairs(areas, config)]
    return to_frame(family(rows, config.alpha))


def search_friedman(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """Friedman over all searches of each model, images being blocks; no rows with fewer than three searches."""
    rows: list[Row] = []
    for group, table in _tables(areas):
        if table.shape[1] > 2:
            rows += family([friedman_row("friedman", complete(group, table), config.min_n)], config.alpha)
    return to_frame(rows)


def _tables(areas: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Of every model: the group's name, and image x search its areas, NaN where no set was found."""
    known = areas.assign(area=found_area(areas))
    for model, rows in known.groupby("model"):
        yield f"searches of {model}", rows.pivot(index="image", columns="search", values="area")


def _pairs(areas: pd.DataFrame, config: StatisticsConfig) -> Iterator[Matched]:
    for group, table in _tables(areas):
        yield from pairs_of(group, table, config)


def pairs_of(group: str, table: pd.DataFrame, config: StatisticsConfig) -> Iterator[Matched]:
    """Each search of one model and one that it is compared with, on the images on which both found a set.

    The study's own first, then those of `config.against` that the model has; no two searches are compared twice.

    Args:
        group: the name of the rows.
        table: image x search its areas, NaN where no set was found.
        config: which searches are compared with, beside the study's own.
    """
    others = [name for name in config.against if name in table and name != OWN]
    seen: list[str] = []
    for reference in (OWN, *others):
        seen.append(reference)
        for search in table.columns.drop(seen):
            yield complete(group, table[[search, reference]])


def names_of(pair: Matched) -> tuple[str, str]:
    """The search, and the one that it is compared with."""
    search, reference = pair.table.columns
    return str(search), str(reference)


def difference_row(pair: Matched, config: StatisticsConfig) -> Row:
    """The row of the mean difference, not yet of a family; see `search_differences`."""
    search, reference = names_of(pair)
    difference = (pair.table[search] - pair.table[reference]).to_numpy(dtype=float).round(DECIMALS)
    contrast, n = f"{search} - {reference}", len(difference)
    if n < config.min_n:
        reason = f"{n} image(s) with both sets; at least {config.min_n} are needed"
        return skipped(DIFFERENCE, pair.group, reason, contrast, n, pair.dropped)
    low, high = bootstrap_interval(difference, np.mean, config)
    return Row(
        DIFFERENCE,
        pair.group,
        contrast,
        effect=float(difference.mean()),
        effect_name="mean difference of area",
        ci_low=low,
        ci_high=high,
        confidence=config.confidence,
        n=n,
        dropped=pair.dropped,
    )
