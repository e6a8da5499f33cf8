"""The strategy `group_testing`: certified minimal sets for fewer evaluations than `minimal`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mps_study.mps.group_testing.belief import Belief
from mps_study.mps.group_testing.deletion import Sufficient, delete, weighed
from mps_study.mps.group_testing.start import grown, regrown
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import grid, sizes_of_tiles
from mps_study.mps.tiled.on_tiles import OnTiles, as_mps, nothing_passes, to_begin_with
from mps_study.mps.types import Found, Search

LEAST = (0.03, 0.015, 0.04)
"""Tiles that a question must be expected to win, in the coarsest grid, the next and all finer ones but the last."""

EASY = 300
"""Evaluations below which the first way leaves enough for a second one."""


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
        before, finest = inquiry.evaluations, grid(inquiry.shape, self.granularity)
        if (yield from nothing_passes(inquiry, finest)):
            return Found((yield from as_mps(inquiry, finest, finest.nothing(), certified=True)))
        way = yield from self._one_way(inquiry)
        assert way is not None  # one is given up for the first, and this is the first
        if inquiry.evaluations - before < EASY:
            way = (yield from self._one_way(inquiry, first=way)) or way
        return Found((yield from as_mps(inquiry, finest, way.found.kept, certified=True)))

    def _one_way(self, inquiry: Inquiry, first: Way | None = None) -> Search[Way | None]:
        """A way to a set; None where it does not become smaller than that of the first way, or is not likely to.

        The first way is loosened after its growth. The second is grown again of finer tiles instead.
        """
        sizes = sizes_of_tiles(inquiry.shape, self.granularity)
        tiles = grid(inquiry.shape, sizes[0].pixels)
        _, blank = yield from weighed(inquiry, tiles, tiles.nothing()[None])
        start = yield from grown(inquiry, tiles, to_begin_with(inquiry, tiles), loose=first is None)
        found, belief, growing = start.found, None, first is not None and start.soon
        began = 0
        for level, size in enumerate(sizes):
            coarser, tiles = tiles, grid(inquiry.shape, size.pixels)
            found = Sufficient(tiles.refine(found.kept, coarser) & to_begin_with(inquiry, tiles), found.slack)
            last = level == len(sizes) - 1
            if level == 0 and start.soon and not last:
                continue
            if growing and size.growing_steps:
                again = yield from regrown(inquiry, tiles, found, size.growing_steps)
                growing = again is not None
                if again is not None:
                    found, belief = again, None
                    continue
            began = int(found.kept.sum())
            if last and first is not None and began >= first.began:
                return None
            belief = Belief.of_set(tiles, found.kept, found.slack - blank[0], belief)
            least = 0.0 if last else LEAST[min(level, 2)]
            smaller_than = None if first is None or not last else int(first.found.kept.sum())
            left = yield from delete(inquiry, belief, found, least, smaller_than)
            if left is None:
                return None
            found = left
        return Way(found, began)
