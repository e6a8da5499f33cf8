"""How a set is found: one function a strategy, each built of the steps that the other files name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.certificate import certify
from mps_study.mps.contrastive import complete, contrastive_edges, shortest_contrastive_prefix
from mps_study.mps.curves import curves
from mps_study.mps.growth import consider, grow, remember
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Ranking, Shape
from mps_study.mps.pruning import prune
from mps_study.mps.rankings import RANKINGS, by_value
from mps_study.mps.sufficiency import shortest_prefix
from mps_study.mps.tiles import grid, sizes_of_tiles
from mps_study.mps.types import Curves, Found, Search


def rex(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """ReX's global explanation: the shortest sufficient prefix of the pixels ranked by responsibility."""
    landscape, ranking, drawn = yield from _ranked(inquiry, shape, key)
    mps = yield from shortest_prefix(inquiry, ranking)
    return Found(mps, landscape, drawn)


def contrastive(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """ReX's contrastive explanation: the shortest prefix that is sufficient and necessary."""
    inquiry.edges += contrastive_edges(inquiry)
    landscape, ranking, drawn = yield from _ranked(inquiry, shape, key)
    mps = yield from shortest_contrastive_prefix(inquiry, ranking)
    return Found(mps, landscape, drawn)


def completed(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """ReX's complete explanation: the contrastive one, filled up until it is as confident as the whole image."""
    inquiry.edges += contrastive_edges(inquiry)
    landscape, ranking, drawn = yield from _ranked(inquiry, shape, key)
    mps = yield from shortest_contrastive_prefix(inquiry, ranking)
    if mps is not None:
        mps = yield from complete(inquiry, ranking, mps)
    return Found(mps, landscape, drawn)


def _ranked(inquiry: Inquiry, shape: Shape, key: str) -> Search[tuple[NDArray[np.float32], Ranking, Curves | None]]:
    """The map, the pixels in its order, and its curves if they are wanted and this is not a further set."""
    landscape = yield from RANKINGS[inquiry.config.ranking](inquiry, shape, key)
    ranking = by_value(landscape)
    wanted = inquiry.config.curve_steps > 0 and inquiry.allowed is None
    drawn = (yield from curves(inquiry, ranking)) if wanted else None
    return landscape, ranking, drawn


def minimal(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """A sufficient set of tiles that can spare none of them, with its certificate.

    From coarse tiles to fine: grow a set out of nothing inside the last one, and where that finds nothing smaller,
    prune the last one. Once growing has found nothing it is not tried at finer tiles, of which it would need more.
    The empty set if the baseline alone passes.
    """
    nothing = grid(shape, inquiry.config.granularity).nothing()
    passing, _ = yield from consider(inquiry, grid(shape, inquiry.config.granularity), nothing[None])
    if passing[0]:
        return Found((yield from certify(inquiry, shape, nothing)))
    sizes = sizes_of_tiles(shape, inquiry.config.granularity)
    tiles = grid(shape, sizes[0].pixels)
    kept, promise, growing = tiles.whole(), np.zeros(tiles.tiles, dtype=np.int64), True
    for size in sizes:
        coarser, tiles = tiles, grid(shape, size.pixels)
        last, promise = tiles.refine(kept, coarser), tiles.refine(promise, coarser)
        kept = last
        if growing and size.growing_steps:
            kept, promise = yield from grow(inquiry, tiles, last, size.growing_steps)
            growing = not np.array_equal(kept, last)
        if np.array_equal(kept, last):
            kept, promise = yield from prune(inquiry, tiles, last, promise)
        remember(inquiry, tiles, kept)
    return Found((yield from certify(inquiry, shape, kept)))


STRATEGIES: dict[str, Callable[[Inquiry, Shape, str], Search[Found]]] = {
    "rex": rex,
    "contrastive": contrastive,
    "complete": completed,
    "minimal": minimal,
}
