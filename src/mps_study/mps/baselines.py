"""What a pixel that is not kept becomes. Baselines apply after the model's own normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.types import Picture


def mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1, 1, 1) the mean of all values of the image, as rex-xai's mask value `mean`."""
    return np.full((1, 1, 1), pixels.mean(dtype=np.float64), dtype=np.float32)


def minimum(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1, 1, 1) the smallest value of the image, as rex-xai's mask value `min`."""
    return np.full((1, 1, 1), pixels.min(), dtype=np.float32)


def channel_mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(c, 1, 1) the image's mean colour."""
    colour: NDArray[np.float64] = pixels.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    return colour.astype(np.float32)


def baseline_picture(pixels: NDArray[np.float32], baseline: float | str | Sequence[float]) -> Picture:
    """The image (c, h, w) with its baseline, ready for a search.

    Raises:
        ValueError: a list of numbers whose length is not the number of channels.
    """
    if isinstance(baseline, str):
        return Picture(pixels, BASELINES[baseline](pixels))
    values = np.atleast_1d(np.asarray(baseline, dtype=np.float32))
    if len(values) not in (1, len(pixels)):
        raise ValueError(f"search.baseline has {len(values)} numbers, but the image has {len(pixels)} channels")
    return Picture(pixels, values[:, None, None])


def check_baseline(baseline: object) -> None:
    """Raise ValueError unless `baseline` is a number, numbers by channel, or a key of `BASELINES`."""
    if isinstance(baseline, str):
        good = baseline in BASELINES
    else:
        values = baseline if isinstance(baseline, (list, tuple)) else [baseline]
        good = bool(values) and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value) for value in values
        )
    if not good:
        raise ValueError(
            f"search.baseline is {baseline!r}; use a number, one number a channel, or one of {', '.join(BASELINES)}"
        )


BASELINES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "mean": mean,
    "min": minimum,
    "channel_mean": channel_mean,
}
