"""What strategies on a grid of tiles share: where they begin, how they ask one set after the other, how they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.fields import whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import consider
from mps_study.mps.minimal.tiles import Cells, Grid, Kept, grid
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.types import Certificate, Mps, Search

MOST_AHEAD = 16

Sets = NDArray[np.bool_]
"""(n, t) bool, n sets of tiles."""

Judge = Callable[[Inquiry, Grid, Sets], Search[tuple[NDArray[np.bool_], NDArray[np.int64]]]]
"""Asks about n sets of tiles: (n,) which pass, and (n,) the evidence for the target class."""


@dataclass(frozen=True)
class OnTiles(Strategy):
    """A strategy whose sets are made of square tiles.

    Args:
        granularity: side of the tiles in pixels.
    """

    asked_again: ClassVar[bool] = True

    granularity: int = whole(4, least=1)

    @property
    def tile(self) -> int:
        """Side of the tiles in pixels."""
        return self.granularity

    def covering(self, region: Mask) -> Mask:
        """The region (h, w) bool, rounded up to whole tiles."""
        tiles = grid((region.shape[0], region.shape[1]), self.granularity)
        return tiles.mask(tiles.touched(region))


def to_begin_with(inquiry: Inquiry, tiles: Grid) -> Kept:
    """The tiles that may be kept: all, or those with a pixel that is allowed."""
    return tiles.whole() if inquiry.allowed is None else tiles.touched(inquiry.allowed)


def nothing_passes(inquiry: Inquiry, tiles: Grid) -> Search[bool]:
    """Whether the baseline alone does, so that the empty set is the smallest."""
    passing, _ = yield from consider(inquiry, tiles, tiles.nothing()[None])
    return bool(passing[0])


def first_passing(
    inquiry: Inquiry, tiles: Grid, n: int, sets: Callable[[slice], Sets], judge: Judge = consider
) -> Search[int | None]:
    """Position of the first of n sets that passes, of which `sets` gives some (m, t) bool; None if none does.

    One is asked, then 2, 4, ... at once: hardly more than one after the other would, in far fewer questions. The first
    counts, so asking ahead changes no answer.
    """
    start, ahead = 0, 1
    while start < n:
        passing, _ = yield from judge(inquiry, tiles, sets(slice(start, start + ahead)))
        if passing.any():
            return start + int(np.argmax(passing))
        start, ahead = start + ahead, min(2 * ahead, MOST_AHEAD)
    return None


def as_mps(inquiry: Inquiry, tiles: Grid, kept: Kept, certified: bool) -> Search[Mps | None]:
    """The set of tiles (t,) bool as an MPS, once it has passed alone; None if it does not.

    `certified`: each of its tiles was deleted by itself, and every time the set failed.
    """
    alone = Cells(tiles.shape, label=inquiry.target.label, grid=tiles, kept=kept[None])
    reply = yield from inquiry.ask_alone(alone)
    if not inquiry.passes(reply)[0]:
        return None
    certificate = Certificate(tiles.size, inquiry.floor(), int(kept.sum())) if certified else None
    return Mps(inquiry.visible(tiles.mask(kept)), float(reply.confidences[0]), certificate)
