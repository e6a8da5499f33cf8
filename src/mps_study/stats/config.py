"""What a reader may choose about the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StatisticsConfig:
    """Choices shared by every test.

    alpha: a row is significant when its Bonferroni-adjusted p is below it (the paper: 0.01).
    confidence: level of every interval, independent of `alpha`.
    min_n: fewest values in a group, blocks in a matched test, or rows of either correctness.
    resamples, seed: bootstrap of paired effects and of mean overlaps. Each interval starts
        from the seed again, so it depends on its own data and not on which tests ran before.
    """

    alpha: float = 0.01
    confidence: float = 0.95
    min_n: int = 5
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("alpha", "confidence"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ValueError(f"{name} is {value}; expected a number between 0 and 1")
        if self.min_n < 2:
            raise ValueError(f"min_n is {self.min_n}; a test needs at least 2 observations")
        if self.resamples < 1:
            raise ValueError(f"resamples is {self.resamples}; expected at least 1, try 2000")
