"""Slack: how much a mutant that passes could lose before it fails, and how much one that fails lacks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.evidence import EVIDENCE_STEPS, log_odds_of
from mps_study.mps.types import Reply

_LEAST = 1e-7


def slack(reply: Reply, target: int, floor: float, passing: NDArray[np.bool_], by_share: bool) -> NDArray[np.int64]:
    """(n,) in steps of 1/16 nat: 0 or more for mutants that pass, below 0 for those that fail.

    To the class: the target's logit less the best other one's. To a floor above 0: the target's log-odds less those of
    the floor. The smaller of both counts; the second alone where the target need not be on top (`by_share`). Whole
    steps, as with evidence, so that rounding inside the model changes nothing that is decided by them.

    Where the classifier is exact and says no margin, the log-odds of one that passes stand for it, and of one that
    fails what its confidence and its log-odds tell.
    """
    steps = np.full(len(reply.labels), np.iinfo(np.int64).max)
    if not by_share:
        steps = _in_steps(_to_the_class(reply, target))
    if floor > 0:
        share = np.clip(floor, _LEAST, 1 - _LEAST)
        of_floor = _in_steps(np.log(share / (1 - share)))
        steps = np.minimum(steps, _in_steps(log_odds_of(reply, target).astype(np.float64)) - of_floor)
    bounded: NDArray[np.int64] = np.where(passing, np.maximum(steps, 0), np.minimum(steps, -1))
    return bounded


def near_a_step(values: NDArray[np.float32], tolerance: float) -> NDArray[np.bool_]:
    """(n,) whether rounding by up to the tolerance can bring a value to another step; not for what is not finite."""
    with np.errstate(invalid="ignore"):
        steps = values * EVIDENCE_STEPS
        near: NDArray[np.bool_] = np.abs(steps - np.floor(steps) - 0.5) < tolerance * EVIDENCE_STEPS
    return near


def _to_the_class(reply: Reply, target: int) -> NDArray[np.float64]:
    """(n,) the target's logit less the best other one's, as far as the reply tells."""
    on_top = reply.labels == target
    if reply.margins is not None:
        return np.where(on_top, 1.0, -1.0) * reply.margins
    odds = log_odds_of(reply, target).astype(np.float64)
    top = np.log(np.maximum(reply.confidences.astype(np.float64), _LEAST))
    return np.where(on_top, odds, -np.logaddexp(0.0, -odds) - top)


def _in_steps(nats: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded to whole steps; what is not a number counts as the least."""
    steps = np.fmin(np.fmax(nats * EVIDENCE_STEPS, -1e6), 1e6)  # of a number and NaN the number
    rounded: NDArray[np.int64] = np.rint(steps).astype(np.int64)
    return rounded
