"""Does a small set mean a sure model, or an unsure one?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import ALL, Row, percentiles, row, weights_of
from mps_study.mps.types import FOUND

QUESTION = "confidence_and_size"
PAIRS = {
    "area and confidence of the set": ("area", "confidence"),
    "area and confidence of the whole image": ("area", "target_confidence"),
    "confidence of the set and of the whole image": ("confidence", "target_confidence"),
}
LEAST = 5


def sizes(frames: Frames) -> Iterator[Row]:
    """Spearman's rank correlation on the images of each model, search and floor; of all models together within models.

    Together means that values are ranked within each model first, so that differences between models count for nothing.
    Intervals resample images, their ranks as they are.
    """
    sets = _sets(frames)
    for (search, share), group in sets.groupby(["search", "share"], sort=False):
        about = {"search": search, "share": share}
        by_model = [(str(model), mine) for model, mine in group.groupby("model", sort=False)]
        for model, mine in [*by_model, *([(ALL, group)] if len(by_model) > 1 else [])]:
            for measure, pair in PAIRS.items():
                yield _correlation(measure, model, mine, pair, frames, about)
    if sets.empty:
        yield Row(QUESTION, next(iter(PAIRS)), missing="no set was found")


def _correlation(
    measure: str, model: str, mine: pd.DataFrame, pair: tuple[str, str], frames: Frames, about: Mapping[str, Any]
) -> Row:
    told = mine.dropna(subset=list(pair))
    images = told["image"].nunique()
    if images < LEAST:
        reason = f"{images} images with a set; at least {LEAST} are needed"
        return row(QUESTION, measure, {"n": images, "model": model, "missing": reason}, about)
    ranks = np.stack([told.groupby("model")[name].transform(_centred_ranks).to_numpy() for name in pair])
    weights = weights_of(told["image"], frames.resamples, frames.seed)
    low, high = percentiles(_pearson(ranks, weights))
    value = float(_pearson(ranks, np.ones((1, len(told))))[0])
    return row(QUESTION, measure, {"value": value, "low": low, "high": high, "n": images, "model": model}, about)


def _centred_ranks(values: pd.Series) -> NDArray[np.float64]:
    """Ranks from -1/2 to 1/2, ties in the middle."""
    ranks = rankdata(values)
    return np.asarray((ranks - (len(ranks) + 1) / 2) / max(1, len(ranks) - 1))


def _pearson(pair: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(resamples,) weighted correlation of two rows (2, n)."""
    total = weights.sum(axis=1)
    means = weights @ pair.T / total[:, None]
    products = (weights @ (pair[0] * pair[1])) / total - means[:, 0] * means[:, 1]
    spreads = np.stack([(weights @ (row**2)) / total - means[:, i] ** 2 for i, row in enumerate(pair)])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(products / np.sqrt(spreads.prod(axis=0)))


def _sets(frames: Frames) -> pd.DataFrame:
    """One row an image, model, search and floor that has a set."""
    columns = ["image", "model", "search", "share", "area", "confidence", "target_confidence"]
    first = frames.areas[frames.areas["status"] == FOUND][columns]
    more = frames.more_sets
    if not len(more):
        return first
    keys = ["image", "model", "search"]
    told = more[(more["kind"] == "floor") & more["area"].notna()][[*keys, "share", "area", "confidence"]]
    floors = told.merge(frames.areas[[*keys, "target_confidence"]], on=keys)
    both = pd.concat([first, floors[columns]], ignore_index=True)
    return both.drop_duplicates([*keys, "share"], keep="first")
