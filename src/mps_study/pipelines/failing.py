"""How a stage that works model by model fails: for one model with a note, for all of them with an error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from click import ClickException

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.failures import Failures, Held

log = logging.getLogger(__name__)

Step = TypeVar("Step")
"""What a node of such a stage saves at a time; it ends with the failures."""


def under_claim(
    claims: Claims,
    stage: str,
    model: str,
    work: Callable[[Path], Iterator[Step]],
    step_of: Callable[[Failures], Step],
) -> Generator[Step, None, str | None]:
    """The steps of a model's work under its claim, and the note if it fails; returns why it failed, or is `Held`.

    The note comes while the claim is held: later it might stand beside the success of another process.

    Args:
        claims: of the study.
        stage: the stage that works.
        model: the model, or model and search.
        work: its steps, given a folder for what is unfinished.
        step_of: a step that saves a note and nothing else.
    """
    try:
        with claims.claim(f"{stage}/{model}") as folder:
            try:
                yield from work(folder)
            except ClaimedError:
                raise
            except Exception as error:
                reason = noted(stage, model, error)
                yield step_of({(stage, model): reason})
                return reason
    except ClaimedError as error:
        return noted(stage, model, error)
    return None


def held_of(failures: Failures) -> Failures:
    """Those that were left to another process."""
    return {what: reason for what, reason in failures.items() if isinstance(reason, Held)}


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
