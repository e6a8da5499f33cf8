"""Do models look at what people marked?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row

QUESTION = "people"
MEASURES = {
    "share of the set inside": "inside",
    "more inside than by chance": "more",
    "share of the object covered": "covered",
    "pointing game": "pointing",
    "responsibility inside": "responsibility_inside",
    "sets beside the object": "beside",
}


def people(frames: Frames) -> Iterator[Row]:
    """Of each model and search: how its sets lie beside the objects of annotated images.

    Chance is what the same set has inside on average over all places where it fits in the input.
    """
    told = frames.agreement
    there = told[told["missing"] == ""] if len(told) else told
    if not len(there):
        reasons = told["missing"].mode() if len(told) else pd.Series(["no annotation"])
        yield Row(QUESTION, "share of the set inside", missing=str(reasons[0]))
        return
    there = there.assign(
        more=there["inside"] - there["chance_same_shape"], beside=there["beside"].astype("Float64").astype(float)
    )
    for (model, search), group in there.groupby(["model", "search"], sort=False):
        about = {"model": model, "search": search}
        for measure, column in MEASURES.items():
            found = mean_of(group.set_index("image")[column], frames.resamples, frames.seed)
            if found["n"]:
                yield row(QUESTION, measure, found, about)
