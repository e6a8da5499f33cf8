"""Replies of logits that are known: what decides, how near it is to another decision, and rows without an answer."""

import numpy as np
import pytest
from scipy.special import log_softmax

from mps_study.models.inference.replies import reply_of_labels, reply_of_logits

NONE = 4
"""The class of a row without a label, of four labels."""


def some_logits(rows=200):
    """(rows, 4) of any sign."""
    return np.random.default_rng(8).normal(scale=2, size=(rows, NONE)).astype(np.float32)


@pytest.mark.parametrize("reply_of", [reply_of_logits, reply_of_labels])
def test_a_row_that_is_not_finite_has_no_answer_and_is_near_to_no_other(reply_of):
    z = np.array([[np.nan, 1, 2, 0], [np.inf, 1, 2, 0], [-np.inf, 1, 2, 0], [3, 1, 2, 0]], np.float32)
    reply = reply_of(z, named=np.zeros(4, dtype=int), targets=np.zeros(4, dtype=int))
    assert reply.labels.tolist() == [-1, -1, -1, 0]
    assert np.isnan(reply.confidences).tolist() == np.isnan(reply.log_odds).tolist() == [True, True, True, False]
    assert reply.margins[:3].tolist() == [np.inf] * 3 and np.isfinite(reply.margins[3])


@pytest.mark.parametrize("reply_of", [reply_of_logits, reply_of_labels])
def test_log_odds_are_those_of_the_class_that_a_row_names_and_none_where_it_names_none(reply_of):
    z = some_logits(4)
    named = np.array([0, -1, 3, -1])
    share = np.exp(log_softmax(z.astype(np.float64), axis=1))[[0, 2], [0, 3]]
    expected = np.log(share / (1 - share)) if reply_of is reply_of_logits else z[[0, 2], [0, 3]]
    assert reply_of(z, named).log_odds[[0, 2]] == pytest.approx(expected, rel=1e-5)
    assert np.isnan(reply_of(z, named).log_odds[[1, 3]]).all()
    assert reply_of(z).log_odds is None


@pytest.mark.parametrize("reply_of", [reply_of_logits, reply_of_labels])
def test_no_change_below_its_margin_changes_a_decision_and_one_above_it_does(reply_of):
    """Of two logits that move towards each other, each goes half the way; of one alone that of a label's own edge."""
    z, random = some_logits(), np.random.default_rng(9)
    reply = reply_of(z)
    for _ in range(20):
        shift = random.uniform(-1, 1, z.shape) * 0.499 * reply.margins[:, None]
        assert (reply_of((z + shift).astype(np.float32)).labels == reply.labels).all()
    top, second = np.argsort(-z, axis=1)[:, :2].T
    rows, changed = np.arange(len(z)), z.copy()
    to_the_second = np.isclose(reply.margins, z[rows, top] - z[rows, second])
    changed[rows, top] -= np.where(reply.labels == NONE, -1.01, 1.01) * reply.margins
    assert (reply_of(changed).labels != reply.labels).all()
    assert to_the_second.any() and (reply_of is reply_of_logits) == to_the_second.all()


def test_a_label_at_its_edge_is_not_there():
    """Above the threshold, as docs and records say: at a probability of exactly .5 nothing is said."""
    at = np.array([[0.0, -1.0, -2.0, -3.0]], np.float32)
    for edge in (0.0, -0.5):
        moved = at + np.float32(edge)
        assert reply_of_labels(moved, edge=edge).labels.tolist() == [NONE]
        assert reply_of_labels(moved, edge=edge).margins.tolist() == [0.0]
        assert reply_of_labels(moved, targets=np.array([0]), edge=edge).labels.tolist() == [NONE]
        assert reply_of_labels(np.nextafter(moved, np.float32(1)), edge=edge).labels.tolist() == [0]


def test_a_row_about_no_label_is_as_near_to_another_as_its_most_certain_label_is_to_its_edge():
    z = np.array([[-0.25, -1, -2, -3], [0.5, 0.375, -1, -2]], np.float32)
    reply = reply_of_labels(z, targets=np.array([NONE, NONE]))
    assert reply.labels.tolist() == [NONE, 0]
    assert reply.margins.tolist() == [0.25, 0.5]


def test_one_class_alone_is_never_near_to_another():
    assert reply_of_logits(np.array([[3.0]], np.float32)).margins.tolist() == [np.inf]
