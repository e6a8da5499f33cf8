"""Scores of confidence, each against an outside judge or numbers worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy
from sklearn.metrics import roc_auc_score

from mps_study.measures.trust.rows import weights_of
from mps_study.measures.trust.scores import (
    augrc,
    aurc,
    auroc,
    cross_fitted_max_logit,
    energy,
    entropy,
    folds_of,
    max_logit,
    msp,
)

ONCE = np.ones((1, 6))
WRONG = np.array([True, False, False, True, False, False])


def ones(n):
    return np.ones((1, n))


def test_auroc_is_scikit_learns_ties_and_weights_included():
    random = np.random.default_rng(0)
    score, wrong = random.integers(0, 6, 40).astype(float), random.random(40) < 0.3
    weights = random.integers(0, 4, (5, 40)).astype(float)
    for row, found in zip(weights, auroc(score, wrong, weights), strict=True):
        assert found == pytest.approx(roc_auc_score(~wrong, score, sample_weight=row))


@pytest.mark.parametrize(
    ("score", "area"),
    [([1, 5, 6, 2, 3, 4], 1.0), ([6, 1, 2, 5, 3, 4], 0.0), ([1, 1, 1, 1, 1, 1], 0.5)],
    ids=["perfect", "inverted", "constant"],
)
def test_a_perfect_an_inverted_and_a_constant_score(score, area):
    score = np.array(score, dtype=float)
    assert auroc(score, WRONG, ONCE)[0] == area
    # risk 1/3: (1 - AUROC) 2/9 + 1/18
    assert augrc(score, WRONG, ONCE)[0] == pytest.approx((1 - area) * 2 / 9 + 1 / 18)


def test_augrc_is_the_mean_generalised_risk_of_a_curve_that_is_walked():
    """Traub et al. 2024: failures among the first i of n, over n, by trapezoids over the coverage i / n."""
    random = np.random.default_rng(1)
    score, wrong = random.permutation(300).astype(float), random.random(300) < 0.2
    walked = np.concatenate([[0], np.cumsum(wrong[np.argsort(-score)])]) / 300
    assert augrc(score, wrong, ones(300))[0] == pytest.approx(np.trapezoid(walked, dx=1 / 300))


def test_aurc_by_hand():
    score = np.array([3.0, 2, 1])
    # best first: right, wrong, right: 0, 1/2, 1/3
    assert aurc(score, np.array([False, True, False]), ones(3))[0] == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    # of one score: in the mean over all orders every share is 1/3
    assert aurc(np.zeros(3), np.array([False, True, False]), ones(3))[0] == pytest.approx(1 / 3)


def test_scores_of_logits():
    logits = np.random.default_rng(2).normal(size=(7, 5)) * 4
    shares = softmax(logits, axis=1)
    np.testing.assert_allclose(msp(logits), shares.max(axis=1))
    np.testing.assert_allclose(entropy(logits), [-scipy_entropy(row) for row in shares])
    np.testing.assert_allclose(energy(logits), np.log(np.exp(logits).sum(axis=1)))
    centred = logits[0] - logits[0].mean()
    assert max_logit(logits, 3)[0] == pytest.approx(centred.max() / (np.abs(centred) ** 3).sum() ** (1 / 3))


def test_the_norm_of_an_image_is_chosen_without_it():
    random = np.random.default_rng(3)
    logits, wrong = random.normal(size=(60, 8)), random.random(60) < 0.4
    images = pd.Series([str(i) for i in range(60)])
    folds = folds_of(images, 5, 0)
    before = cross_fitted_max_logit(logits, wrong, folds)
    flipped = wrong.copy()
    flipped[folds == 0] ^= True  # nothing that is asked of fold 0 may change its own scores
    np.testing.assert_array_equal(before[folds == 0], cross_fitted_max_logit(logits, flipped, folds)[folds == 0])


def test_rows_of_an_image_are_drawn_and_folded_together():
    images = pd.Series(["a", "b", "a", "c", "b", "a"])
    weights, folds = weights_of(images, 50, 0), folds_of(images, 3, 0)
    for same in ([0, 2, 5], [1, 4]):
        assert (weights[:, same] == weights[:, same[:1]]).all() and len(set(folds[same])) == 1
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
