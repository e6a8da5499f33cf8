"""Slack says how far a mutant is from failing, whatever passing means; memory gives back what it was told."""

import numpy as np
import pytest

from mps_study.models.inference.replies import reply_of_logits
from mps_study.mps.common.evidence import EVIDENCE_STEPS
from mps_study.mps.common.memory import Memory
from mps_study.mps.common.slack import slack
from mps_study.mps.types import Reply

LOGITS = np.array([[0.0, 2.0, 1.0], [1.0, -0.5, 0.0], [0.0, 0.001, 0.0]], dtype=np.float32)
ONE = np.ones(3, dtype=np.int64)


def told(logits=LOGITS):
    return reply_of_logits(logits, ONE, ONE)


def test_without_a_floor_it_is_the_distance_to_the_best_other_class():
    reply = told()
    found = slack(reply, 1, 0.0, reply.labels == 1, by_share=False)
    assert found.tolist() == [EVIDENCE_STEPS, round(-1.5 * EVIDENCE_STEPS), 0]


def test_a_floor_that_is_harder_to_reach_than_the_class_decides():
    reply = told()
    floor = 0.6
    passing = (reply.labels == 1) & (reply.confidences >= floor)
    share = np.exp(2) / np.exp(LOGITS[0].astype(float)).sum()
    expected = np.log(share / (1 - share)) - np.log(floor / (1 - floor))
    assert slack(reply, 1, floor, passing, by_share=False)[0] == pytest.approx(EVIDENCE_STEPS * expected, abs=1)


def test_it_never_contradicts_what_passes():
    reply = told(np.array([[0.0, 1e-4, 0.0], [0.0, -1e-4, 0.0], [0.0, 3.0, 0.0]], dtype=np.float32))
    found = slack(reply, 1, 0.0, np.array([True, False, False]), by_share=False)
    assert found[0] >= 0 and found[1] < 0 and found[2] < 0


def test_of_a_class_that_need_not_be_on_top_only_its_share_counts():
    reply = told()
    assert reply.log_odds is not None
    half = slack(reply, 1, 0.5, reply.log_odds >= 0, by_share=True)
    assert half == pytest.approx(EVIDENCE_STEPS * reply.log_odds, abs=1)


def test_without_margins_confidence_and_log_odds_tell_it():
    """Of two classes exactly; of more at least what can be known."""
    two = LOGITS[:, :2]
    with_margins = reply_of_logits(two, ONE, ONE)
    exact = Reply(with_margins.labels, with_margins.confidences, None, with_margins.log_odds)
    passing = with_margins.labels == 1
    expected = slack(with_margins, 1, 0.0, passing, by_share=False)
    assert slack(exact, 1, 0.0, passing, by_share=False) == pytest.approx(expected, abs=1)
    untold = Reply(with_margins.labels, with_margins.confidences)
    assert (np.sign(slack(untold, 1, 0.0, passing, by_share=False)) >= 0).tolist() == passing.tolist()


def test_memory_gives_back_what_it_was_told():
    memory, reply = Memory(), told()
    memory.take([7, 8, 9], reply)
    assert 8 in memory and 10 not in memory
    back = memory.reply([9, 7], label=1)
    for name in ("labels", "confidences", "margins", "log_odds"):
        assert np.array_equal(getattr(back, name), getattr(reply, name)[[2, 0]])
    assert memory.reply([7], label=-1).log_odds is None


def test_memory_has_margins_only_where_all_have_one():
    memory = Memory()
    memory.take([7, 8, 9], told())
    memory.take([10], Reply(np.array([1]), np.array([0.5], dtype=np.float32)))
    assert memory.reply([7, 10], label=1).margins is None and memory.reply([7, 8], label=1).margins is not None


def test_only_what_was_alone_is_settled_and_only_with_what_is_asked_for():
    memory, reply = Memory(), told()
    memory.take([7], Reply(reply.labels[:1], reply.confidences[:1]), alone=True)
    memory.take([8], Reply(reply.labels[:1], reply.confidences[:1], log_odds=reply.log_odds[:1]))
    assert memory.settled(7, -1) and not memory.settled(7, 1) and not memory.settled(8, 1)
    memory.take([8], Reply(reply.labels[:1], reply.confidences[:1], log_odds=reply.log_odds[:1]), alone=True)
    assert memory.settled(8, 1)
