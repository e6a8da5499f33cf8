"""Log-odds of the target class: said wherever a class was named, and rounded to whole steps of evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants
from mps_study.mps.types import Reply

EVIDENCE_STEPS = 16
"""Evidence is the log-odds of the target class in whole steps of 1/16 nat."""

_LEAST_ODDS = 1e-7


def evidence(reply: Reply) -> NDArray[np.int64]:
    """(n,) log-odds of the class that was asked for, in steps of 1/16 nat: what mutants are ordered by.

    Whole steps, so that rounding inside the model cannot change an order; whoever sorts breaks ties by position.
    A reply without log-odds counts as the least.
    """
    assert reply.log_odds is not None
    steps = np.nan_to_num(reply.log_odds.astype(np.float64), nan=-np.inf) * EVIDENCE_STEPS
    rounded: NDArray[np.int64] = np.rint(np.clip(steps, -1e6, 1e6)).astype(np.int64)
    return rounded


def with_log_odds(reply: Reply, mutants: Mutants) -> Reply:
    """The reply with log-odds wherever a class was named.

    A classifier that does not say them leaves what its top-1 class tells: the class's own log-odds if it is on
    top, else the most that they can be.
    """
    return replace(reply, log_odds=None if mutants.label < 0 else log_odds_of(reply, mutants.label))


def log_odds_of(reply: Reply, label: int) -> NDArray[np.float32]:
    """(n,) the log-odds of a class: those that the reply says, else what its top-1 class tells of them."""
    share = np.clip(reply.confidences.astype(np.float64), _LEAST_ODDS, 1 - _LEAST_ODDS)
    share = np.where(reply.labels == label, share, np.minimum(share, 1 - share))
    known = reply.log_odds
    log_odds = np.log(share / (1 - share)).astype(np.float32)
    return log_odds if known is None else np.where(np.isnan(known), log_odds, known)
