"""Works through units, each a model and what is done with it; one that fails, or is another process's, stops none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.failures import Failures
from mps_study.pipelines.failing import noted, unless_all_failed

T = TypeVar("T")


def unit_by_unit(
    stage: str,
    units: Collection[str],
    claims: Claims,
    work: Callable[[str], Iterator[T]],
    note: Callable[[Failures], T],
) -> Iterator[T]:
    """What `work` yields of each unit, and what `note` makes of failures.

    A unit that fails, or that another process works on, is noted; the others go on. Those that were held by another
    process get a second turn at the end. A failure is noted while the claim is held: later it might be another
    process's success.

    Raises:
        ClickException: all units failed.
    """
    failures: dict[tuple[str, str], str | None] = {}
    waiting, held = list(units), dict[tuple[str, str], str]()
    for _ in range(2):
        held = {}
        for unit in waiting:
            try:
                with claims.claim(f"{stage}/{unit}"):
                    try:
                        yield from work(unit)
                    except ClaimedError:
                        raise
                    except Exception as error:
                        failures[stage, unit] = noted(stage, unit, error)
                        yield note({(stage, unit): failures[stage, unit]})
            except ClaimedError as error:
                held[stage, unit] = noted(stage, unit, error)
        waiting = [unit for _, unit in held]
    yield note(held)
    unless_all_failed(stage, units, failures | held)
