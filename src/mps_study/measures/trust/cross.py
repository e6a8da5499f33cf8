"""Is what suffices for one model enough for another?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row
from mps_study.measures.trust.survival import CROSS

QUESTION = "cross"
GIVES, KEEPS = "gives the owner's class", "keeps its own class"
EVERYBODY, NOBODY = "convinces every other model", "convinces no other model"
PLACE = "place among alike models"


def cross(frames: Frames) -> Iterator[Row]:
    """Of each owner (`model`) and asked model (`other`): the share of the owner's sets that convince it.

    Then of each owner the share of its sets that convince all other models, and none; and the order of models in which
    those that convince each other stand together (average linkage of 1 less the mean of both directions).
    """
    probes = frames.probes[frames.probes["condition"] == CROSS] if len(frames.probes) else frames.probes
    asked = probes[probes["missing"] == ""] if len(probes) else probes
    if not len(asked):
        alone = len(frames.models()) < 2
        said = sorted(set(probes["missing"])) if len(probes) else []
        reason = "one model" if alone else said[0] if said else "models were not asked about each other's sets"
        yield Row(QUESTION, GIVES, missing=reason)
        return
    for (search, share), group in asked.groupby(["search", "share"], sort=False):
        about = {"search": search, "share": share}
        place = {model: number for number, model in enumerate(frames.models())}
        by_owner = group.sort_values("model", key=lambda names: names.map(place), kind="stable")
        for (owner, other), pair in by_owner.groupby(["model", "asked"], sort=False):
            for measure, column in ((GIVES, "passes"), (KEEPS, "keeps")):
                found = mean_of(pair[column].astype(float), frames.resamples, frames.seed)
                yield row(QUESTION, measure, {"model": str(owner), "other": str(other)}, found, about)
        for owner, sets in group.groupby("model", sort=False):
            by_image = sets["passes"].astype(float).groupby(sets["image"])
            for measure, truths in ((EVERYBODY, by_image.min()), (NOBODY, 1 - by_image.max())):
                found = mean_of(truths, frames.resamples, frames.seed)
                yield row(QUESTION, measure, {"model": str(owner)}, found, about)
        for leaf, model in enumerate(alike(group)):
            yield row(QUESTION, PLACE, {"value": float(leaf), "n": group["model"].nunique(), "model": model}, about)


def alike(asked: pd.DataFrame) -> list[str]:
    """Models in the order of the leaves of their tree; as they come where there are fewer than three."""
    models, shares = _shares(asked)
    if len(models) < 3 or np.isnan(shares).any():
        return models
    distance = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return [models[leaf] for leaf in leaves_list(tree)]


def _shares(asked: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
    """Models, and (owner, asked) the share of sets that convince; 1 on the diagonal, NaN for pairs that were not."""
    models = [str(model) for model in pd.unique(pd.concat([asked["model"], asked["asked"]]))]
    means = asked["passes"].astype(float).groupby([asked["model"], asked["asked"]]).mean()
    shares = np.array([[1.0 if a == b else means.get((a, b), np.nan) for b in models] for a in models])
    return models, shares
