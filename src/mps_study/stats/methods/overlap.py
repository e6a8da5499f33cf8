"""Where the MPSs lie (RQ2): how far two models' MPSs overlap, and whether pairs differ in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from mps_study.stats.bootstrap import Floats, bootstrap_interval
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.friedman import friedman_row
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import best_models, complete, members
from mps_study.stats.samples.selections import answers, select

MEASURES = {
    "dice": "mean dice",
    "hausdorff": "mean hausdorff in source pixels",
    "hausdorff_ratio": "mean hausdorff as share of the diagonal",
    "hausdorff_grid": "mean hausdorff in cells of the grid",
    "iou": "mean iou",
    "centroid_distance": "mean centroid distance in source pixels",
}
"""Column of the overlaps frame to the name of its mean; all distances but that on the grid are the source image's."""

TESTED = ("dice", "hausdorff")
"""The paper's two measures; the order of IoUs is that of Dice coefficients, so their ranks say nothing new.

Distances are ranked in the source image's geometry, in which those of different pairs can be compared.
"""

OVERLAP_SELECTIONS = (
    "all images",
    "labelled, correct by all",
    "labelled, wrong by at least one",
    "labelled, wrong by all",
    "labelled, same wrong answer by all",
    "unlabelled",
    "unlabelled, same answer by all",
    "unlabelled, outvoted at least one",
)


@dataclass(frozen=True)
class _Pairs:
    """By measure, image x pair of models ("a & b"), and per image: chosen (NA: undecided)."""

    group: str
    tables: dict[str, pd.DataFrame]
    chosen: "pd.Series[bool]"


def overlap_means(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """Mean of every measure of every pair of models, with a bootstrap interval over images.

    Pairs are those of the best models (the paper's Tables 2 and 3) and those within each
    architecture. A description, so p is NaN. Dropped counts images of the selection for which
    the measure is missing, and undecided ones; fewer than `min_n` images are a skipped row.
    """
    teams = _pairs(areas, overlaps, best_models(model_summary), tuple(MEASURES))
    return to_frame(family([row for pairs in teams for row in _means(pairs, config)], config.alpha))


def _means(pairs: _Pairs, config: StatisticsConfig) -> Iterator[Row]:
    """The means of one measure after the other, made pair by pair: its measures are mostly known on the same images."""
    chosen = pairs.chosen.fillna(False).to_numpy(dtype=bool)
    wanted = int(pairs.chosen.fillna(True).sum())
    values = {measure: table.to_numpy(dtype=np.float64)[chosen] for measure, table in pairs.tables.items()}
    rows: dict[str, list[Row]] = {measure: [] for measure in values}
    for place, pair in enumerate(next(iter(pairs.tables.values())).columns):
        for measure, table in values.items():
            x = table[:, place][~np.isnan(table[:, place])]
            start = Row(f"mean {measure}", pairs.group, str(pair), n=len(x), dropped=wanted - len(x))
            rows[measure].append(_mean_row(start, MEASURES[measure], x, config))
    for measure, made in rows.items():
        yield from made or [skipped(f"mean {measure}", pairs.group, "no pair of models")]


def overlap_friedman(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """Friedman over the pairs of models, images being blocks: do some pairs agree more?

    Groups and blocks as in `overlap_means`; a block needs the measure of all pairs. Pairs that
    share a model are correlated, which Friedman's p ignores; read Kendall's W beside it.
    """
    rows: list[Row] = []
    for pairs in _pairs(areas, overlaps, best_models(model_summary), TESTED):
        for measure, table in pairs.tables.items():
            sample = complete(pairs.group, table, pairs.chosen)
            rows += family([friedman_row(f"friedman on {measure}", sample, config.min_n)], config.alpha)
    return to_frame(rows)


def _pairs(areas: pd.DataFrame, overlaps: pd.DataFrame, best: list[str], measures: tuple[str, ...]) -> Iterator[_Pairs]:
    teams = {"best models": best} | {f"{a} models": m for a, m in members(areas).items()}
    names = overlaps[["model_a", "model_b"]].astype("str").to_numpy()
    pair = [" & ".join(sorted(two)) for two in names]
    wide = {
        measure: overlaps[["image"]]
        .assign(pair=pair, value=_finite(overlaps[measure]))
        .pivot(index="image", columns="pair", values="value")
        for measure in measures
    }
    for team, models in teams.items():
        given = answers(areas, models)
        wanted = [f"{a} & {b}" for a, b in combinations(models, 2)]
        for selection in OVERLAP_SELECTIONS:
            chosen = select(given, selection)
            cells = {name: table.reindex(index=chosen.index, columns=wanted) for name, table in wide.items()}
            yield _Pairs(f"{team}, {selection}", cells, chosen)


def _finite(measure: "pd.Series[float]") -> "pd.Series[float]":
    """Infinite where one of two sets is empty: no distance, so missing."""
    values = measure.astype("float64")
    return values.where(np.isfinite(values))


def _mean_row(start: Row, name: str, x: Floats, config: StatisticsConfig) -> Row:
    if len(x) < config.min_n:
        reason = f"{len(x)} image(s) with both MPSs; at least {config.min_n} are needed"
        return skipped(start.test, start.group, reason, start.contrast, start.n, start.dropped)
    low, high = bootstrap_interval(x, np.mean, config)
    mean = float(x.mean())
    return replace(start, effect=mean, effect_name=name, ci_low=low, ci_high=high, confidence=config.confidence)
