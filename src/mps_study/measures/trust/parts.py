"""Are sets compositional, so that many of their parts still carry the class, or held together by all of them?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row

QUESTION = "sub_explanations"
AREA, COUNT = "area under the curve", "parts that keep half of the confidence"
CURVE = "relative confidence"
KINDS = ("architecture", "normalisation")


def parts(frames: Frames) -> Iterator[Row]:
    """Area under the curve of relative confidence, and parts above half of it: by model, then by kinds of models.

    Of a kind each image counts once, with the mean over its models.
    """
    told = frames.sub_explanations
    there = told[told["missing"] == ""] if len(told) else told
    if not len(there):
        reason = str(told["missing"].mode()[0]) if len(told) else "parts of sets were not asked about"
        yield Row(QUESTION, AREA, missing=reason)
        return
    kinds = {"architecture": frames.architectures(), "normalisation": dict(frames.normalisation)}
    for search, sets in there.groupby("search", sort=False):
        for model, group in sets.groupby("model", sort=False):
            yield from _rows(frames, group, model=str(model), search=str(search))
            yield from _curve(group, str(model), str(search))
        for kind in KINDS:
            of_kind = sets["model"].map(kinds[kind])
            for name, group in sets.groupby(of_kind, sort=False):
                yield from _rows(frames, group, other=str(name), search=str(search), condition=kind)


def _curve(sets: pd.DataFrame, model: str, search: str) -> Iterator[Row]:
    """The mean curve of a model; `share` is that of the tiles which are deleted."""
    curves = np.stack([np.asarray(each, dtype=float) for each in sets["curve"]])
    for place, share in enumerate(np.linspace(0, 1, curves.shape[1])):
        value = float(curves[:, place].mean())
        yield Row(QUESTION, CURVE, value, n=len(curves), model=model, search=search, share=round(float(share), 2))


def _rows(frames: Frames, group: pd.DataFrame, **about: str) -> Iterator[Row]:
    for measure, column in ((AREA, "curve_area"), (COUNT, "count_50")):
        values = group[column].astype(float).groupby(group["image"]).mean()
        found = mean_of(values, frames.resamples, frames.seed)
        yield row(QUESTION, measure, found, about)
