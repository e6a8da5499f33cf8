"""How well a score tells wrong answers from right ones.

Every score here is one of confidence: the larger, the more an answer is trusted. Sums are weighted, so that a bootstrap
of images is a matter of weights (resamples, n).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

Floats = NDArray[np.float64]
P_NORMS = tuple(range(1, 9))
"""Norms among which MaxLogit's is chosen on other images."""


def auroc(score: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """(resamples,) chance that a right answer scores above a wrong one, ties half: the AUROC of failures.

    Args:
        score: (n,).
        wrong: (n,) whether each answer is wrong.
        weights: (resamples, n) how often each counts.

    NaN where a resample has no right or no wrong answer.
    """
    right_in, wrong_in = _by_level(score, wrong, weights)
    below = np.cumsum(wrong_in, axis=1) - wrong_in
    won = (right_in * (below + wrong_in / 2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = won / (right_in.sum(axis=1) * wrong_in.sum(axis=1))
    return found


def augrc(score: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """(resamples,) area under the generalised risk-coverage curve: the mean risk of undetected failures.

    Traub et al. (NeurIPS 2024): (1 - AUROC) a (1 - a) + (1 - a)^2 / 2 with accuracy a. In [0, 1/2], less is better.
    """
    risk = (weights * wrong).sum(axis=1) / weights.sum(axis=1)
    lost = np.nan_to_num(1 - auroc(score, wrong, weights)) * risk * (1 - risk)
    found: Floats = lost + risk**2 / 2
    return found


def aurc(score: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """(resamples,) area under the risk-coverage curve: the mean, over how many answers are taken, best first, of their
    share of wrong ones. Answers of one score come in every order alike.
    """
    right_in, wrong_in = (each[:, ::-1] for each in _by_level(score, wrong, weights))
    level = right_in + wrong_in
    taken, lost = np.cumsum(level, axis=1), np.cumsum(wrong_in, axis=1)
    found = np.zeros(len(weights))
    for row in range(len(weights)):
        n = int(taken[row, -1])
        ends = np.concatenate([[0.0], taken[row]])
        errors = np.concatenate([[0.0], lost[row]])
        step = np.arange(1, n + 1)
        found[row] = (np.interp(step, ends, errors) / step).mean()
    return found


def _by_level(score: Floats, wrong: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """(resamples, levels) weight of right and of wrong answers at each score, the lowest first."""
    levels, place = np.unique(score, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(levels)))
    sums = [np.add.reduceat((weights * part)[:, order], starts, axis=1) for part in (~wrong, wrong)]
    return sums[0], sums[1]


def msp(logits: Floats) -> Floats:
    """(n,) maximum softmax probability."""
    found: Floats = softmax(logits, axis=1).max(axis=1)
    return found


def max_logit(logits: Floats, p: int) -> Floats:
    """(n,) largest centred logit over their p-norm (Cattelan and Silva, UAI 2024)."""
    centred = logits - logits.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, ord=p, axis=1)
    found: Floats = centred.max(axis=1) / np.where(norm > 0, norm, 1)
    return found


def energy(logits: Floats) -> Floats:
    """(n,) log of the sum of exponentials: the negative energy."""
    found: Floats = logsumexp(logits, axis=1)
    return found


def entropy(logits: Floats) -> Floats:
    """(n,) negative entropy of the softmax, in nats."""
    shares = softmax(logits, axis=1)
    found: Floats = (shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    return found


def folds_of(images: pd.Series, folds: int, seed: int) -> NDArray[np.intp]:
    """(n,) to which fold each row belongs; all rows of an image to one."""
    codes, names = pd.factorize(images)
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    place: NDArray[np.intp] = order[codes] % folds
    return place


def cross_fitted_max_logit(logits: Floats, wrong: NDArray[np.bool_], folds: NDArray[np.intp]) -> Floats:
    """(n,) MaxLogit with the norm of the best AUROC on all other folds; each fold's scores as ranks of their share."""
    scores = {p: max_logit(logits, p) for p in P_NORMS}
    found = np.zeros(len(wrong))
    for fold in np.unique(folds):
        out = folds == fold
        ones = np.ones((1, int((~out).sum())))
        best = max(P_NORMS, key=lambda p: float(np.nan_to_num(auroc(scores[p][~out], wrong[~out], ones)[0])))
        found[out] = np.searchsorted(np.sort(scores[best]), scores[best][out]) / len(wrong)
    return found
