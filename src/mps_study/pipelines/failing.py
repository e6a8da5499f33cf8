"""How a stage that works model by model fails: for one model with a note, for all of them with an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from click import ClickException

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.failures import Failures, Held

log = logging.getLogger(__name__)


def noted(stage: str, model: str, error: Exception) -> str:
    """The error as one line for the record; logged, with its traceback where that can tell more.

    A claim that another process holds is `Held`, which is no failure.
    """
    if isinstance(error, ClaimedError):
        log.warning("%s, %s: left to another process: %s", stage, model, error)
        return Held(error)
    known = isinstance(error, FileNotFoundError | ValueError)
    reason = str(error) if known else f"{type(error).__name__}: {error}"
    log.error(
        "%s, %s: failed, going on with the next model: %s", stage, model, reason, exc_info=None if known else error
    )
    return reason


def unless_all_failed(stage: str, models: Iterable[str], failures: Failures) -> None:
    """Raise ClickException, which tells each reason, if there are models and all of them failed."""
    reasons = {model: failures.get((stage, model)) for model in models}
    if reasons and all(reasons.values()):
        lines = "\n".join(f"  {model}: {reason}" for model, reason in reasons.items())
        raise ClickException(f"{stage} failed for every model:\n{lines}")


def ensure_ready(
    model: str,
    failures: Failures,
    claims: Claims | None = None,
    stages: tuple[str, ...] = ("fine_tuning", "model_export"),
) -> None:
    """Raise unless the earlier stages are done for this model: what lies there is of another configuration.

    Raises:
        ValueError: one of them failed.
        ClaimedError: another process is at it.
    """
    for stage in stages:
        if claims is not None:
            claims.check_free(f"{stage}/{model}")
        if reason := failures.get((stage, model)):
            raise ValueError(f"{stage} failed: {reason}")
