"""The mean of a measure over the images up to each, as images are finished."""

from __future__ import annotations

from collections.abc import Mapping


class RunningMean:
    """Values by step, and the mean of those up to each step. Steps come in order, but for images that came late.

    Args:
        known: step -> value of an earlier run that this one goes on with.
    """

    def __init__(self, known: Mapping[int, float]) -> None:
        self._values = dict(known)
        self._sum, self._last = sum(known.values()), max(known, default=0)

    def add(self, step: int, value: float) -> float:
        """The mean of all values up to this step, the new one included."""
        late = step <= self._last
        self._values[step] = value
        if late:
            self._sum = sum(self._values.values())
            up_to = [other for at, other in self._values.items() if at <= step]
            return sum(up_to) / len(up_to)
        self._sum, self._last = self._sum + value, step
        return self._sum / len(self._values)
