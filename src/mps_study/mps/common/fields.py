"""Parameters beside their algorithm: a frozen dataclass whose fields say their default and what they take.

    @dataclass(frozen=True)
    class Mine(Strategy):
        share: float = number(0.5, 0.0, 1.0)
        rounds: int = whole(3, least=1)

`Mine(rounds=0)` is then a ValueError: `search.rounds is 0; use a whole number, 1 or more`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

TAKE = "take"
"""Key of a field's metadata: a function of the field's name and what arrived, that returns the value or raises."""


@dataclass(frozen=True)
class Parameters:
    """Takes each of its fields by the field's own rule. A field without one takes anything.

    Every field has a default, and that never changes (docs/decisions/0009).

    Raises:
        ValueError: naming the parameter, what arrived and what is allowed.
    """

    def __post_init__(self) -> None:
        for each in fields(self):
            take = each.metadata.get(TAKE)
            if take is not None:
                object.__setattr__(self, each.name, take(each.name, getattr(self, each.name)))


def taken(default: Any, take: Callable[[str, Any], Any]) -> Any:
    """A field with a rule of its own."""
    return field(default=default, metadata={TAKE: take})


def whole(default: int | None, least: int) -> Any:
    """A whole number of at least `least`; None too where that is the default."""

    def take(name: str, value: object) -> int | None:
        if value is None and default is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"search.{name} is {value!r}; use a whole number, {least} or more")
        return int(value)

    return taken(default, take)


def number(default: float, low: float, high: float) -> Any:
    """A number from `low` to `high`."""
    return taken(default, lambda name, value: in_range(name, value, low, high))


def flag(default: bool) -> Any:
    """True or false."""

    def take(name: str, value: object) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"search.{name} is {value!r}; use true or false")
        return bool(value)

    return taken(default, take)


def one_of(default: str, choices: Collection[str]) -> Any:
    """One of some words, such as the keys of a dictionary of functions."""

    def take(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"search.{name} is {value!r}; use one of {', '.join(choices)}")
        return value

    return taken(default, take)


def nearest(name: object, known: Iterable[str], prefix: str = "") -> str:
    """What follows an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    if near:
        return f"; did you mean '{prefix}{near[0]}'?"
    return f"; known: {', '.join(names) or 'none'}"


def in_range(name: str, value: object, low: float, high: float) -> float:
    """The number that arrived for a parameter, which must lie between two others."""
    numbers = (int, float, np.integer, np.floating)
    if not isinstance(value, numbers) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"search.{name} is {value!r}; use a number from {low} to {high}")
    return float(value)
