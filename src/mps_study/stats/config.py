"""What a reader may choose about the tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mps_study.common.numbers import plain


@dataclass(frozen=True)
class StatisticsConfig:
    """Choices shared by every test.

    alpha: a row is significant when its Bonferroni-adjusted p is below it (the paper: 0.01).
    confidence: level of every interval, independent of `alpha`.
    min_n: fewest values in a group, blocks in a matched test, or rows of either correctness.
    resamples, seed: bootstrap of paired effects and of mean overlaps. Each interval starts
        from the seed again, so it depends on its own data and not on which tests ran before.
    against: searches that all others are compared with, beside the study's own.
    """

    alpha: float = 0.01
    confidence: float = 0.95
    min_n: int = 5
    resamples: int = 2000
    seed: int = 0
    against: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("alpha", "confidence"):
            value = self._plain(name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
                raise ValueError(f"statistics.{name} is {value!r}; use a number above 0 and below 1")
        for name, least in (("min_n", 2), ("resamples", 1), ("seed", 0)):
            value = self._plain(name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"statistics.{name} is {value!r}; use a whole number, {least} or more")
        names = self.against
        if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"statistics.against is {names!r}; use a list of names of searches")
        object.__setattr__(self, "against", tuple(names))  # frozen, so that it can be a key

    def _plain(self, name: str) -> Any:
        object.__setattr__(self, name, plain(getattr(self, name)))
        return getattr(self, name)
