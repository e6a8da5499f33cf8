"""What is said of weights that cannot be had, without torch."""

from __future__ import annotations


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit; the message says which and what to do."""
