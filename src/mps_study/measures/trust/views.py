"""Do models that find more disjoint sets in an image answer better?"""

from __future__ import annotations

from collections.abc import Iterator

from scipy.stats import spearmanr

from mps_study.common.searches import OWN
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import Row, mean_of, row

QUESTION = "disjoint_sets"
NUMBER, RELATION = "sets an image", "rank correlation with accuracy, across models"


def views(frames: Frames) -> Iterator[Row]:
    """Sets an image, of each model; and across models the rank correlation of their mean with accuracy.

    (Minimal sufficient views: their number is said to go with accuracy, without labels.)
    """
    sets = frames.more_sets
    further = sets[(sets["kind"] == "further") & (sets["search"] == OWN)] if len(sets) else sets
    if not len(further):
        yield Row(QUESTION, NUMBER, missing="no further sets were asked for (search.several)")
        return
    own = frames.areas[(frames.areas["search"] == OWN) & (frames.areas["status"] == "found")]
    means, accuracies = [], []
    for model, group in own.groupby("model", sort=False):
        counts = further[further["model"] == model].groupby("image")["order"].max()
        numbers = counts.astype(float).reindex(group["image"]).fillna(1.0)
        found = mean_of(numbers, frames.resamples, frames.seed)
        yield row(QUESTION, NUMBER, {"model": str(model)}, found)
        correct = group["correct"].dropna()
        if len(correct):
            means.append(float(numbers.mean()))
            accuracies.append(float(correct.astype(float).mean()))
    if len(means) < 3 or len(set(means)) < 2 or len(set(accuracies)) < 2:
        reason = "fewer than three models with labelled images, or all alike"
        yield Row(QUESTION, RELATION, n=len(means), missing=reason)
        return
    yield Row(QUESTION, RELATION, value=float(spearmanr(means, accuracies).statistic), n=len(means))
