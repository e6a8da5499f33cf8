"""All tests of the study, in the order in which they are read."""

from collections.abc import Callable, Iterable

import pandas as pd

from .config import StatisticsConfig
from .correctness import mixed_model
from .counts import selection_sizes
from .friedman import friedman
from .kruskal import dunn, kruskal_wallis
from .overlap import overlap_friedman, overlap_means
from .rows import COLUMNS, to_frame
from .wilcoxon import wilcoxon

Statistic = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, StatisticsConfig], pd.DataFrame]
"""areas, overlaps, model_summary, config -> rows of the statistics frame."""

NEEDED = {
    "areas": ["image", "model", "architecture", "half", "target", "correct", "status", "area"],
    "overlaps": [
        "image", "model_a", "model_b", "dice", "hausdorff", "hausdorff_ratio", "hausdorff_grid", "iou",
        "centroid_distance",
    ],
    "model_summary": ["model", "best"],
}  # fmt: skip
"""The columns that the tests read, by frame."""

KEYS = {"areas": ["image", "model"], "overlaps": ["image", "model_a", "model_b"]}


def run_statistics(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
    progress: Callable[[Iterable[Statistic]], Iterable[Statistic]] = iter,
) -> pd.DataFrame:
    """The statistics frame: every row of every entry of STATISTICS, in registry order.

    areas: one row an image and model. overlaps: one row an image and unordered pair of models.
    model_summary: one row a model. Any may be empty. Row order does not matter. Returns exactly
    COLUMNS with their dtypes. A test that the data cannot carry stays in the frame as `skipped`
    with a reason. Raises ValueError when a frame lacks a column or repeats a row.
    """
    frames = {"areas": areas, "overlaps": overlaps, "model_summary": model_summary}
    for name, frame in frames.items():
        _check(name, frame)
    parts = [test(areas, overlaps, model_summary, config) for test in progress(STATISTICS.values())]
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
