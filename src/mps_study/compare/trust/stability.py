"""Does another seed find the same set?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mps_study.compare.trust.frames import Frames
from mps_study.compare.trust.rows import Row, mean_of, row
from mps_study.mps.types import FOUND

QUESTION = "stability"
DICE, SPREAD = "Dice coefficient", "larger area over smaller"


def stability(frames: Frames) -> Iterator[Row]:
    """Of each model and pair of searches that differ in their seed alone: how alike their sets are, and their areas."""
    if not frames.twins:
        yield Row(QUESTION, DICE, missing="no two searches differ in their seed alone")
        return
    found = frames.areas[frames.areas["status"] == FOUND]
    for model in frames.models():
        for a, b in frames.twins:
            overlaps = frames.search_overlaps
            pair = overlaps[(overlaps["model"] == model) & overlaps["search_a"].isin((a, b))]
            pair = pair[pair["search_b"].isin((a, b)) & (pair["status"] == "ok")]
            about = {"model": model, "search": a, "other": b}
            if pair.empty:
                yield row(QUESTION, DICE, {"missing": "no image with both sets"}, about)
                continue
            dice = mean_of(pair["dice"], frames.resamples, frames.seed)
            yield row(QUESTION, DICE, dice, about)
            mine = found[found["model"] == model].pivot(index="image", columns="search", values="area")
            spread = pd.Series(np.exp(np.abs(np.log(mine[a] / mine[b]))))
            yield row(QUESTION, SPREAD, mean_of(spread, frames.resamples, frames.seed), about)
