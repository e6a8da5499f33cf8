"""What all searches of an image keep to, whatever their strategy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mps_study.mps.common.fields import Parameters, flag, in_range, number, taken, whole


def _shares(name: str, given: object) -> tuple[float, ...]:
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"search.{name} is {given!r}; use a list of shares, such as [0.5, 0.9]")
    return tuple(in_range(name, share, 0.0, 1.0) for share in given)


TOP, LABEL = "top-1", "label"
"""Targets that each image has by itself: the model's own answer, and the label that the image was given."""

NEEDS_FLOOR = (
    "a class that is not on top passes by its share of the confidence: set minimum_confidence_threshold or "
    "confidence_floor above 0"
)


def _target(name: str, given: object) -> str | int:
    """`top-1`, `label`, the name of a class, or its index."""
    if isinstance(given, str) and given.strip():
        return given
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool) and given >= 0:
        return int(given)
    raise ValueError(f"search.{name} is {given!r}; use {TOP}, {LABEL}, the name of a class, or its index")


@dataclass(frozen=True)
class Terms(Parameters):
    """Chance, what a set must reach, and what may be asked; see `SearchConfig`, which adds the strategy."""

    seed: int = whole(0, least=0)
    minimum_confidence_threshold: float = number(0.0, 0.0, 1.0)
    confidence_floor: float = number(0.0, 0.0, 1.0)
    floors: tuple[float, ...] = taken((), _shares)
    budget: int | None = whole(None, least=1)
    margin_tolerance: float = number(1e-3, 0.0, 10.0)
    target: str | int = taken(TOP, _target)
    anytime: bool = flag(False)

    @property
    def has_floor(self) -> bool:
        """Whether a set has to reach some confidence: what a class that is not on top passes by."""
        return self.minimum_confidence_threshold > 0 or self.confidence_floor > 0
