"""Can sets tell wrong answers from right ones, and more than what is free?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.searches import OWN
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.rows import ALL, Row, percentiles, weights_of
from mps_study.measures.trust.scores import (
    Floats,
    augrc,
    aurc,
    auroc,
    cross_fitted_max_logit,
    energy,
    entropy,
    folds_of,
    msp,
)
from mps_study.mps.types import FOUND

QUESTION = "failures"
LEAST = 5
"""Wrong answers, and right ones, without which nothing is said."""
FOLDS = 5
Measure = Callable[[Floats, NDArray[np.bool_], Floats], Floats]
MEASURES: Mapping[str, Measure] = {
    "AUROC of failures": auroc, "AURC": aurc, "AUGRC": augrc,
}  # fmt: skip
ADDED = "AUROC added by the set"
COST = "evaluations"
FREE, SIZE, BOTH = "maximum softmax probability", "small area", "softmax probability and area"
MAX_LOGIT, ENERGY, ENTROPY = "MaxLogit over its norm", "energy", "negative entropy"
AGREEMENT = "agreement with other models"


def monitor(frames: Frames) -> Iterator[Row]:
    """Of each model, and of all together: what each score of confidence is worth, and what the area of the set adds to
    the softmax probability in a logistic regression that is fitted on other images. Intervals resample images.
    """
    for model in (name for name in frames.models() if name in frames.several_labels):
        reason = "it decides each label by itself: its answers have no softmax probability"
        yield Row(QUESTION, "AUROC of failures", model=model, missing=reason)
    table = _table(frames)
    if table.empty:
        yield Row(QUESTION, "AUROC of failures", missing="no labelled image with an answer and a set")
        return
    by_model = [(str(model), group) for model, group in table.groupby("model", sort=False)]
    pooled = [(ALL, table)] if len(by_model) > 1 else []
    for model, group in [*by_model, *pooled]:
        wrong = group["wrong"].to_numpy(dtype=bool)
        counts = int(wrong.sum()), int((~wrong).sum())
        if min(counts) < LEAST:
            reason = f"{counts[0]} wrong and {counts[1]} right answers; at least {LEAST} of each are needed"
            yield Row(QUESTION, "AUROC of failures", model=model, n=len(group), missing=reason)
            continue
        yield from _of_model(model, group, wrong, frames)


def _of_model(model: str, group: pd.DataFrame, wrong: NDArray[np.bool_], frames: Frames) -> Iterator[Row]:
    weights = weights_of(group["image"], frames.resamples, frames.seed)
    once = np.ones((1, len(group)))
    scores = {name: group[name].to_numpy(dtype=float) for name in (*_scores_of(group), FREE)}
    scores |= {BOTH: _combined(group, wrong, [FREE, SIZE], frames.seed)}
    for name, score in scores.items():
        for measure, function in MEASURES.items():
            some = weights[: 500 if function is aurc else None]  # every resample of a curve is walked by itself
            low, high = percentiles(_resampled(function, score, wrong, some))
            value = float(function(score, wrong, once)[0])
            yield Row(QUESTION, measure, value, low, high, len(group), model, condition=name)
        yield Row(QUESTION, COST, _cost(name, group, frames), n=len(group), model=model, condition=name)
    both, free = (_resampled(auroc, scores[name], wrong, weights) for name in (BOTH, FREE))
    low, high = percentiles(both - free)
    value = float(auroc(scores[BOTH], wrong, once)[0] - auroc(scores[FREE], wrong, once)[0])
    yield Row(QUESTION, ADDED, value, low, high, len(group), model, condition=BOTH)
    yield from _rule_of_thumb(model, group, wrong, frames)


def _resampled(function: Measure, score: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """(resamples,) some at a time: sums over levels of a large study take memory."""
    return np.concatenate([function(score, wrong, weights[i : i + 200]) for i in range(0, len(weights), 200)])


def _rule_of_thumb(model: str, group: pd.DataFrame, wrong: NDArray[np.bool_], frames: Frames) -> Iterator[Row]:
    """The paper's: is the area in the range of right answers? Range and question are of different images."""
    area = np.exp(-group[SIZE].to_numpy(dtype=float))
    folds, inside = folds_of(group["image"], FOLDS, frames.seed), np.zeros(len(group), dtype=bool)
    for fold in range(FOLDS):
        out = folds == fold
        known = area[~out & ~wrong]
        if len(known):
            low, high = np.quantile(known, [0.05, 0.95])
            inside[out] = (area[out] >= low) & (area[out] <= high)
    for measure, rows in (("wrong answers outside of the range of right ones", wrong), ("right ones outside", ~wrong)):
        value = float((~inside[rows]).mean())
        yield Row(QUESTION, measure, value, n=int(rows.sum()), model=model, condition="the paper's rule")


def _combined(group: pd.DataFrame, wrong: NDArray[np.bool_], names: list[str], seed: int) -> Floats:
    """(n,) chance of a right answer by a logistic regression that was fitted on the other folds."""
    from sklearn.linear_model import LogisticRegression  # takes a second to load, and only this stage needs it
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = group[names].to_numpy(dtype=float)
    folds, found = folds_of(group["image"], FOLDS, seed), np.zeros(len(group))
    for fold in np.unique(folds):
        out = folds == fold
        if len(np.unique(wrong[~out])) < 2:
            found[out] = 1 - wrong[~out].mean()
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fold that is told apart wholly does not converge, and need not
            fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs[~out], ~wrong[~out])
        found[out] = fitted.predict_proba(inputs[out])[:, 1]
    return found


def _scores_of(group: pd.DataFrame) -> list[str]:
    """Scores that every row of the group has."""
    names = [name for name in group if name not in ("image", "model", "wrong") and not str(name).startswith("_")]
    return [str(name) for name in names if group[name].notna().all() and group[name].nunique() > 1]


def _cost(name: str, group: pd.DataFrame, frames: Frames) -> float:
    """Evaluations an image that a score takes; agreement with other models takes those of all of them."""
    if name in (FREE, MAX_LOGIT, ENERGY, ENTROPY):
        return 1.0
    if name == AGREEMENT:
        own = frames.areas[frames.areas["search"] == OWN]
        return float(own.groupby("model")["evaluations"].mean().sum())
    return float(group["_evaluations"].mean())


def _table(frames: Frames) -> pd.DataFrame:
    """One row a labelled image and model with a set of the study's own search, and its scores."""
    own = frames.areas[frames.areas["search"] == OWN]
    own = own[own["correct"].notna() & (own["status"] == FOUND) & ~own["model"].isin(list(frames.several_labels))]
    if own.empty or not len(frames.answers):
        return pd.DataFrame()
    table = own.merge(frames.answers[["image", "model", "logits"]], on=["image", "model"])
    parts = [_scored(group, frames) for _, group in table.groupby("model", sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _scored(group: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    logits = np.stack([np.asarray(each, dtype=np.float64) for each in group["logits"]])
    wrong = ~group["correct"].to_numpy(dtype=bool)
    found = pd.DataFrame({"image": group["image"].astype(str), "model": group["model"].astype(str), "wrong": wrong})
    if logits.shape[1] > 1:
        folds = folds_of(found["image"], FOLDS, frames.seed)
        found[FREE] = msp(logits)
        found[MAX_LOGIT] = cross_fitted_max_logit(logits, wrong, folds)
        found[ENERGY], found[ENTROPY] = energy(logits), entropy(logits)
    else:
        found[FREE] = group["target_confidence"].to_numpy(dtype=float)
    found[SIZE] = -np.log(group["area"].to_numpy(dtype=float))
    found["confidence of the set"] = group["confidence"].to_numpy(dtype=float)
    model = str(group["model"].iloc[0])
    found[AGREEMENT] = _agreement(frames.overlaps, model).reindex(found["image"]).to_numpy()
    numbers = _numbers(frames.more_sets, model)
    found["number of sets"] = numbers.reindex(found["image"]).fillna(1.0).to_numpy() if len(numbers) else np.nan
    found["_evaluations"] = group["evaluations"].to_numpy(dtype=float)
    return found


def _agreement(overlaps: pd.DataFrame, model: str) -> pd.Series:
    """Image -> mean Dice coefficient with the sets of all other models."""
    if not len(overlaps):
        return pd.Series(dtype=float)
    mine = overlaps[(overlaps["model_a"] == model) | (overlaps["model_b"] == model)]
    mean: pd.Series = mine.groupby("image")["dice"].mean()
    return mean


def _numbers(more_sets: pd.DataFrame, model: str) -> pd.Series:
    """Image -> sets that were found, where more than one was asked for."""
    if not len(more_sets):
        return pd.Series(dtype=float)
    mine = more_sets[(more_sets["model"] == model) & (more_sets["search"] == OWN) & (more_sets["kind"] == "further")]
    most: pd.Series = mine.groupby("image")["order"].max().astype(float)
    return most
