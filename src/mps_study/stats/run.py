"""All tests of the study, in the order in which they are read."""

from collections.abc import Callable, Iterable
from functools import partial

import pandas as pd

from mps_study.common.searches import OWN
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.correctness import mixed_model
from mps_study.stats.methods.counts import selection_sizes
from mps_study.stats.methods.floors import floor_differences, floor_wilcoxon
from mps_study.stats.methods.friedman import friedman
from mps_study.stats.methods.kruskal import dunn, kruskal_wallis
from mps_study.stats.methods.overlap import overlap_friedman, overlap_means
from mps_study.stats.methods.searches import search_differences, search_friedman, search_wilcoxon
from mps_study.stats.methods.trust import confidence_mixed, inside_friedman, inside_wilcoxon, parts_friedman
from mps_study.stats.methods.wilcoxon import wilcoxon
from mps_study.stats.rows import COLUMNS, to_frame

Statistic = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, StatisticsConfig], pd.DataFrame]
"""areas, overlaps, model_summary, config -> rows of the statistics frame."""
MoreStatistic = Callable[[pd.DataFrame, pd.DataFrame, StatisticsConfig], pd.DataFrame]
"""areas, another frame, config -> rows of the statistics frame."""
Test = Callable[[], pd.DataFrame]

NEEDED = {
    "areas": ["image", "model", "search", "architecture", "half", "target", "correct", "status", "area"],
    "overlaps": [
        "image", "model_a", "model_b", "dice", "hausdorff", "hausdorff_ratio", "hausdorff_grid", "iou",
        "centroid_distance",
    ],
    "model_summary": ["model", "best"],
}  # fmt: skip
"""The columns that the tests read, by frame."""

KEYS = {"areas": ["image", "model", "search"], "overlaps": ["image", "model_a", "model_b"]}


def run_statistics(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
    agreement: pd.DataFrame | None = None,
    sub_explanations: pd.DataFrame | None = None,
    more_sets: pd.DataFrame | None = None,
    progress: Callable[[Iterable[Test]], Iterable[Test]] = iter,
) -> pd.DataFrame:
    """The statistics frame: every row of each entry of STATISTICS, SEARCH_STATISTICS, FLOOR_STATISTICS,
    TRUST_STATISTICS, in order.

    areas: one row an image, model and search, every model with the study's own; STATISTICS see that one alone.
    overlaps: one row an image and unordered pair of models.
    model_summary: one row a model. agreement, sub_explanations, more_sets: the frames of these names.
    Any may be empty. Row order does not matter. Returns exactly
    COLUMNS with their dtypes. A test that the data cannot carry stays in the frame as `skipped`
    with a reason. Raises ValueError when a frame lacks a column or repeats a row.
    """
    frames = {"areas": areas, "overlaps": overlaps, "model_summary": model_summary}
    for name, frame in frames.items():
        _check(name, frame)
    own = areas[areas["search"] == OWN]
    tests = [
        partial(test, rows, overlaps, model_summary, config)
        for rows, registry in ((own, STATISTICS), (areas, SEARCH_STATISTICS))
        for test in registry.values()
    ]
    more = {"agreement": agreement, "sub_explanations": sub_explanations, "more_sets": more_sets, "areas": None}
    for beside, trust_test in (FLOOR_STATISTICS | TRUST_STATISTICS).values():
        other = more[beside]
        tests.append(partial(trust_test, areas, pd.DataFrame() if other is None else other, config))
    parts = [test() for test in progress(tests)]
    return pd.concat([to_frame([]), *parts], ignore_index=True).astype(COLUMNS)


def _check(name: str, frame: pd.DataFrame) -> None:
    missing = [column for column in NEEDED[name] if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    key = KEYS.get(name, ["model"])
    if name == "overlaps":  # pairs are unordered: b, a repeats a, b
        a, b = frame["model_a"].astype("str"), frame["model_b"].astype("str")
        frame = frame.assign(model_a=a.where(a < b, b), model_b=b.where(a < b, a))
    twice = frame[frame.duplicated(key)]
    if not twice.empty:
        first = ", ".join(f"{column} {twice[column].iloc[0]!r}" for column in key)
        raise ValueError(
            f"{name} has {len(twice)} repeated row(s), the first for {first}; expected one row "
            f"for each {' and '.join(key)}; were two runs concatenated?"
        )


STATISTICS: dict[str, Statistic] = {
    "friedman": friedman,
    "wilcoxon": wilcoxon,
    "kruskal-wallis": kruskal_wallis,
    "dunn": dunn,
    "mixed model": mixed_model,
    "overlap means": overlap_means,
    "overlap friedman": overlap_friedman,
    "selections": selection_sizes,
}

SEARCH_STATISTICS: dict[str, Statistic] = {
    "differences of searches": search_differences,
    "wilcoxon of searches": search_wilcoxon,
    "friedman of searches": search_friedman,
}
"""What compares searches of the same models, and therefore sees the areas of all of them; no rows with one search."""

FLOOR_STATISTICS: dict[str, tuple[str, MoreStatistic]] = {
    "differences of searches at floors": ("more_sets", floor_differences),
    "wilcoxon of searches at floors": ("more_sets", floor_wilcoxon),
}
"""The same at the further floors of confidence; no rows in a study without."""

TRUST_STATISTICS: dict[str, tuple[str, MoreStatistic]] = {
    "wilcoxon of what people marked": ("agreement", inside_wilcoxon),
    "friedman of what people marked": ("agreement", inside_friedman),
    "friedman of parts of sets": ("sub_explanations", parts_friedman),
    "mixed model of confidence": ("areas", confidence_mixed),
}
"""Each with the frame that it reads beside the areas."""
