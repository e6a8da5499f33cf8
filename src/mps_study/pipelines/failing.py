"""How a stage that works model by model fails: for one model with a note, for all of them with an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from click import ClickException

from mps_study.datasets.claims import ClaimedError
from mps_study.datasets.failures import Failures

log = logging.getLogger(__name__)


def noted(stage: str, model: str, error: Exception) -> str:
    """The error as one line for the record; logged, with its traceback where that can tell more."""
    known = isinstance(error, ClaimedError | FileNotFoundError | ValueError)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    log.error("%s, %s: failed, going on with the next model: %s", stage, model, reason, exc_info=not known)
    return reason


def unless_all_failed(stage: str, models: Iterable[str], failures: Failures) -> None:
    """Raise ClickException, which tells each reason, if there are models and all of them failed."""
    reasons = {model: failures.get((stage, model)) for model in models}
    if reasons and all(reasons.values()):
        lines = "\n".join(f"  {model}: {reason}" for model, reason in reasons.items())
        raise ClickException(f"{stage} failed for every model:\n{lines}")


def ensure_ready(model: str, failures: Failures, stages: tuple[str, ...] = ("fine_tuning", "model_export")) -> None:
    """Raise ValueError if an earlier stage failed for this model: what it left there is of another configuration."""
    for stage in stages:
        if reason := failures.get((stage, model)):
            raise ValueError(f"{stage} failed: {reason}")
