"""Does a set keep its class under another condition, and does another seed find the same one?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row
from mps_study.mps.types import FOUND

CROSS = "cross"
STABILITY = "stability"
DICE, SPREAD = "Dice coefficient", "larger area over smaller"


def survival(frames: Frames) -> Iterator[Row]:
    """Of each model, search and condition the share of its sets that keep their class, repetitions of an image
    averaged first.
    """
    question = "survival"
    probes = frames.probes[frames.probes["condition"] != CROSS] if len(frames.probes) else frames.probes
    if not len(probes):
        yield Row(question, "share that keep the class", missing="no condition was asked for")
        return
    for (model, search, condition), group in probes.groupby(["model", "search", "condition"], sort=False):
        asked = group[group["missing"] == ""]
        about = {"model": str(model), "search": str(search), "condition": str(condition)}
        if asked.empty:
            yield row(question, "share that keep the class", {"missing": str(group["missing"].mode()[0])}, about)
            continue
        passes = asked["passes"].astype(float).groupby(asked["image"]).mean()
        found = mean_of(passes, frames.resamples, frames.seed)
        yield row(question, "share that keep the class", found, about)
        confidence = mean_of(asked["confidence"].groupby(asked["image"]).mean(), frames.resamples, frames.seed)
        yield row(question, "confidence", confidence, about)


def stability(frames: Frames) -> Iterator[Row]:
    """Of each model and pair of searches that differ in their seed alone: how alike their sets are, and their areas."""
    if not frames.twins:
        yield Row(STABILITY, DICE, missing="no two searches differ in their seed alone")
        return
    found = frames.areas[frames.areas["status"] == FOUND]
    for model in frames.models():
        for a, b in frames.twins:
            overlaps = frames.search_overlaps
            pair = overlaps[(overlaps["model"] == model) & overlaps["search_a"].isin((a, b))]
            pair = pair[pair["search_b"].isin((a, b)) & (pair["status"] == "ok")]
            about = {"model": model, "search": a, "other": b}
            if pair.empty:
                yield row(STABILITY, DICE, {"missing": "no image with both sets"}, about)
                continue
            dice = mean_of(pair["dice"], frames.resamples, frames.seed)
            yield row(STABILITY, DICE, dice, about)
            mine = found[found["model"] == model].pivot(index="image", columns="search", values="area")
            spread = pd.Series(np.exp(np.abs(np.log(mine[a] / mine[b]))))
            yield row(STABILITY, SPREAD, mean_of(spread, frames.resamples, frames.seed), about)
