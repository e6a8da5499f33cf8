"""What a pixel that is not kept becomes. Baselines apply after the model's own normalisation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.chance import generator
from mps_study.mps.mutants import Picture

Pixels = NDArray[np.float32]
Baseline = float | str | Sequence[float] | Mapping[str, Any]
"""A number, one number a channel, a key of `BASELINES`, or a mapping of `kind`, such a key, and its arguments."""


@dataclass(frozen=True)
class Surroundings:
    """What a baseline may depend on besides the image: its key, the seed, and another image (c, h, w), if given."""

    key: str = ""
    seed: int = 0
    image: Pixels | None = None


def baseline_picture(pixels: Pixels, baseline: Baseline, surroundings: Surroundings | None = None) -> Picture:
    """The image (c, h, w) with its baseline, ready for a search.

    Raises:
        ValueError: a list of numbers whose length is not the number of channels; `image` without an image of the
            same shape.
    """
    if isinstance(baseline, (str, Mapping)):
        kind, arguments = _kind(baseline)
        values = BASELINES[kind](pixels, surroundings or Surroundings(), **arguments)
        return Picture(pixels, values.astype(np.float32, copy=False))
    numbers = np.atleast_1d(np.asarray(baseline, dtype=np.float32))
    if len(numbers) not in (1, len(pixels)):
        raise ValueError(f"search.baseline has {len(numbers)} numbers, but the image has {len(pixels)} channels")
    return Picture(pixels, numbers[:, None, None])


def checked_baseline(baseline: Any) -> Baseline:
    """The baseline that arrived.

    Raises:
        ValueError: it is none, or has arguments that are unknown or out of range.
    """
    if isinstance(baseline, (str, Mapping)):
        kind, arguments = _kind(baseline)
        _check_kind(baseline, kind, arguments)
        return baseline
    values = baseline if isinstance(baseline, Sequence) else [baseline]
    if not values or not all(map(_is_number, values)):
        raise ValueError(
            f"search.baseline is {baseline!r}; use a number, one number a channel, or one of {', '.join(BASELINES)}"
        )
    return tuple(float(value) for value in baseline) if isinstance(baseline, Sequence) else float(baseline)


def mean(pixels: Pixels, _: Surroundings) -> NDArray[Any]:
    """(1, 1, 1) the mean of all values of the image, as rex-xai's mask value `mean`."""
    return np.full((1, 1, 1), pixels.mean(dtype=np.float64))


def minimum(pixels: Pixels, _: Surroundings) -> NDArray[Any]:
    """(1, 1, 1) the smallest value of the image, as rex-xai's mask value `min`."""
    return np.full((1, 1, 1), pixels.min())


def channel_mean(pixels: Pixels, _: Surroundings) -> NDArray[Any]:
    """(c, 1, 1) the image's mean colour."""
    colour: NDArray[Any] = pixels.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    return colour


def blur(pixels: Pixels, _: Surroundings, sigma: float = 0.05) -> NDArray[Any]:
    """(c, h, w) the image under a Gaussian blur; `sigma` is a share of its longer side, the border is mirrored.

    A share, so that models of different input size see the same blur.
    """
    scale = sigma * max(pixels.shape[1:])
    blurred = pixels.astype(np.float64)
    for axis in (1, 2):
        blurred = _smooth(blurred, axis, scale)
    return blurred


def noise(pixels: Pixels, surroundings: Surroundings) -> NDArray[Any]:
    """(c, h, w) Gaussian noise of each channel's own mean and deviation, from the search's seed and the image's key."""
    random = generator("noise", surroundings.seed, surroundings.key)
    centre = pixels.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    spread = pixels.std(axis=(1, 2), keepdims=True, dtype=np.float64)
    values: NDArray[Any] = centre + spread * random.standard_normal(pixels.shape)
    return values


def another_image(pixels: Pixels, surroundings: Surroundings, path: str = "") -> NDArray[Any]:
    """(c, h, w) another image, as it is handed to the search; `path` says where a study reads it from."""
    other = surroundings.image
    if other is None:
        raise ValueError("search.baseline is 'image', but no image was given; pass `baseline_image` to extract_mps")
    if other.shape != pixels.shape:
        raise ValueError(f"the baseline image has shape {other.shape}, the image {pixels.shape}; preprocess both alike")
    return other


BASELINES: dict[str, Callable[..., NDArray[Any]]] = {
    "mean": mean,
    "min": minimum,
    "channel_mean": channel_mean,
    "blur": blur,
    "noise": noise,
    "image": another_image,
}
"""Each returns values that broadcast to the image (c, h, w)."""


def _kind(baseline: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if isinstance(baseline, str):
        return baseline, {}
    arguments = dict(baseline)
    return str(arguments.pop("kind", None)), arguments


def _check_kind(baseline: object, kind: str, arguments: Mapping[str, Any]) -> None:
    if kind not in BASELINES:
        raise ValueError(
            f"search.baseline is {baseline!r}; use a number, one number a channel, or one of {', '.join(BASELINES)}"
        )
    known = list(inspect.signature(BASELINES[kind]).parameters)[2:]
    for name, value in arguments.items():
        if name not in known:
            takes = f"takes {', '.join(known)}" if known else "takes no arguments"
            raise ValueError(f"search.baseline is {baseline!r}; {kind} {takes}, not {name}")
        if name == "sigma" and not (_is_number(value) and 0 < value <= 1):
            raise ValueError(
                f"search.baseline is {baseline!r}; sigma is a share of the longer side, above 0, at most 1"
            )


def _is_number(value: object) -> bool:
    """Whether it is one, and finite as float32."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and abs(value) <= float(np.finfo(np.float32).max)  # type: ignore[arg-type]


def _smooth(values: NDArray[np.float64], axis: int, scale: float) -> NDArray[np.float64]:
    """Convolve along one axis with a Gaussian of standard deviation `scale` pixels, cut off at four of them."""
    reach = max(1, int(np.ceil(4 * scale)))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / scale) ** 2)
    kernel /= kernel.sum()
    padding = [(0, 0)] * values.ndim
    padding[axis] = (reach, reach)
    padded = np.pad(values, padding, mode="symmetric")
    smooth: NDArray[np.float64] = np.apply_along_axis(np.convolve, axis, padded, kernel, mode="valid")
    return smooth
