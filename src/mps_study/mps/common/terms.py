"""What all searches of an image keep to, whatever their strategy."""

from __future__ import annotations

from dataclasses import dataclass

from mps_study.mps.common.fields import Parameters, in_range, number, taken, whole


def _shares(name: str, given: object) -> tuple[float, ...]:
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"search.{name} is {given!r}; use a list of shares, such as [0.5, 0.9]")
    return tuple(in_range(name, share, 0.0, 1.0) for share in given)


@dataclass(frozen=True)
class Terms(Parameters):
    """Chance, what a set must reach, and what may be asked; see `SearchConfig`, which adds the strategy."""

    seed: int = whole(0, least=0)
    minimum_confidence_threshold: float = number(0.0, 0.0, 1.0)
    confidence_floor: float = number(0.0, 0.0, 1.0)
    floors: tuple[float, ...] = taken((), _shares)
    budget: int | None = whole(None, least=1)
    margin_tolerance: float = number(1e-3, 0.0, 10.0)
