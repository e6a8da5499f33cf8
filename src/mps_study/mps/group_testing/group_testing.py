"""The strategy `group_testing`: certified minimal sets for fewer evaluations than `minimal`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mps_study.mps.group_testing.belief import Belief
from mps_study.mps.group_testing.deletion import Sufficient, delete, weighed
from mps_study.mps.group_testing.start import grown, regrown
from mps_study.mps.group_testing.swaps import swapped
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Grid, grid, sizes_of_tiles
from mps_study.mps.tiled.on_tiles import OnTiles, as_mps, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Search

LEAST = (0.03, 0.015, 0.04)
"""Tiles that a question must be expected to win, in the coarsest grid, the next and all finer ones but the last."""

EASY = 305
"""Sets asked about, below which the first way leaves enough for a second one. Those that were known count as well, so
that what else was asked before, at another floor, changes nothing."""


class Way(NamedTuple):
    """A set that can spare no tile, and how many tiles of the finest size it had when their deletion began."""

    found: Sufficient
    began: int


@dataclass(frozen=True)
class GroupTesting(OnTiles):
    """A sufficient set of tiles that can spare none of them, with its certificate.

    Args:
        granularity: side of the tiles in pixels.
    """

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set; the empty one if the baseline alone passes.

        One way is a start of coarse tiles, and its deletion from coarse tiles to fine. Where that was cheap another
        start is tried, and the smaller set kept: how small a set is, is luck.
        """
        inquiry.slack_counts = True
        before, finest = inquiry.calls, grid(inquiry.shape, self.granularity)
        if (yield from nothing_passes(inquiry, finest)):
            return Found((yield from as_mps(inquiry, finest, finest.nothing(), certified=True)))
        way = yield from self._one_way(inquiry)
        if inquiry.calls - before < EASY:
            way = yield from self._one_way(inquiry, way)
        return Found((yield from as_mps(inquiry, finest, way.found.kept, certified=True)))

    def _one_way(self, inquiry: Inquiry, first: Way | None = None) -> Search[Way]:
        """A way to a set; the first way instead, if this one's set is not smaller, or is not likely to be.

        The first way is loosened after its growth. The second is grown again of finer tiles instead.
        """
        *coarse, last = sizes_of_tiles(inquiry.shape, self.granularity)
        tiles = grid(inquiry.shape, (coarse or [last])[0].pixels)
        _, blank = yield from weighed(inquiry, tiles, tiles.nothing()[None])
        start = yield from grown(inquiry, tiles, to_begin_with(inquiry, tiles), loose=first is None)
        found, belief, growing = start.found, None, first is not None and start.soon
        for level, size in enumerate(coarse):
            coarser, tiles = tiles, grid(inquiry.shape, size.pixels)
            found = _of_finer(inquiry, tiles, coarser, found)
            if level == 0 and start.soon:
                continue
            again = (yield from regrown(inquiry, tiles, found, size.growing_steps)) if growing else None
            growing = again is not None
            if again is not None:
                found, belief = again, None
                continue
            belief = Belief.of_set(tiles, found.kept, found.slack - blank[0], belief)
            found = yield from delete(inquiry, belief, found, LEAST[min(level, 2)])
        coarser, tiles = tiles, grid(inquiry.shape, last.pixels)
        found = _of_finer(inquiry, tiles, coarser, found)
        began = found.tiles
        if first is not None and began >= first.began:
            return first
        belief = Belief.of_set(tiles, found.kept, found.slack - blank[0], belief)
        found = yield from delete(inquiry, belief, found, 0.0, first.found.tiles if first else None)
        if first is not None and found.tiles >= first.found.tiles:
            return first
        return Way((yield from swapped(inquiry, belief, found)), began)


def _of_finer(inquiry: Inquiry, tiles: Grid, coarser: Grid, found: Sufficient) -> Sufficient:
    """The same set of finer tiles."""
    return Sufficient(tiles.refine(found.kept, coarser) & to_begin_with(inquiry, tiles), found.slack)
