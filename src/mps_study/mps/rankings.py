"""Ways to order the pixels of an image; a sufficient set is a prefix of such an order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.chance import generator
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Ranking, Shape
from mps_study.mps.responsibility import responsibility_map
from mps_study.mps.types import Search

Landscape = NDArray[np.float32]


def by_value(landscape: Landscape) -> Ranking:
    """Pixels of a map (h, w), largest first; ties by larger row, then larger column, as in rex-xai."""
    order = np.argsort(landscape.ravel(), kind="stable")[::-1]
    return Ranking(order, (landscape.shape[0], landscape.shape[1]))


def random_map(inquiry: Inquiry, shape: Shape, key: str) -> Search[Landscape]:
    """Pixels in random order, from the seed and the image's key: what any other ranking must beat."""
    yield from ()
    return generator("random ranking", inquiry.config.seed, key).random(shape, dtype=np.float32)


def centre_map(inquiry: Inquiry, shape: Shape, key: str) -> Search[Landscape]:
    """The nearer to the centre, in shares of height and width, the sooner."""
    yield from ()
    down, along = (np.abs((np.arange(size) + 0.5) / size - 0.5) for size in shape)
    return (-np.hypot(down[:, None], along[None, :])).astype(np.float32)


def given_map(inquiry: Inquiry, shape: Shape, key: str) -> Search[Landscape]:
    """The map that was handed in for this image: any saliency map.

    Raises:
        ValueError: there is none, it has another shape, or it is not finite.
    """
    yield from ()
    if inquiry.given_map is None:
        raise ValueError(f"image {key!r}: search.ranking is 'given', but no map was given; pass `maps` to extract_mps")
    landscape = np.asarray(inquiry.given_map, dtype=np.float32)
    if landscape.shape != shape:
        raise ValueError(f"image {key!r}: the given map has shape {landscape.shape}, the image {shape}")
    if not np.isfinite(landscape).all():
        raise ValueError(f"image {key!r}: the given map must be finite, but some of its values are NaN or infinite")
    return landscape


RANKINGS: dict[str, Callable[[Inquiry, Shape, str], Search[Landscape]]] = {
    "responsibility": responsibility_map,
    "random": random_map,
    "centre": centre_map,
    "given": given_map,
}
"""Each returns a map (h, w) float32 whose larger values are kept first."""
