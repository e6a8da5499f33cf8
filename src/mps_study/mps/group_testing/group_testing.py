"""The strategy `group_testing`: certified minimal sets for fewer evaluations than `minimal`."""

from __future__ import annotations

from dataclasses import dataclass

from mps_study.mps.group_testing.belief import Belief
from mps_study.mps.group_testing.deletion import Sufficient, delete, weighed
from mps_study.mps.group_testing.start import grown
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import remember
from mps_study.mps.minimal.tiles import grid, sizes_of_tiles
from mps_study.mps.tiled.on_tiles import OnTiles, as_mps, to_begin_with
from mps_study.mps.types import Found, Search

LEAST = (0.03, 0.015, 0.04)
"""Tiles that a question must be expected to win, in the coarsest grid, the next and all finer ones but the last."""


@dataclass(frozen=True)
class GroupTesting(OnTiles):
    """A sufficient set of tiles that can spare none of them, with its certificate.

    Args:
        granularity: side of the tiles in pixels.
    """

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set; the empty one if the baseline alone passes."""
        inquiry.slack_counts = True
        finest = grid(inquiry.shape, self.granularity)
        passing, blank = yield from weighed(inquiry, finest, finest.nothing()[None])
        if passing[0]:
            return Found((yield from as_mps(inquiry, finest, finest.nothing(), certified=True)))
        found = yield from self._one_way(inquiry, blank[0])
        return Found((yield from as_mps(inquiry, finest, found.kept, certified=True)))

    def _one_way(self, inquiry: Inquiry, blank: float) -> Search[Sufficient]:
        sizes = [size.pixels for size in sizes_of_tiles(inquiry.shape, self.granularity)]
        tiles = grid(inquiry.shape, sizes[0])
        found, easy = yield from grown(inquiry, tiles, to_begin_with(inquiry, tiles))
        belief = None
        for level, size in enumerate(sizes):
            coarser, tiles = tiles, grid(inquiry.shape, size)
            kept = tiles.refine(found.kept, coarser) & to_begin_with(inquiry, tiles)
            found = Sufficient(kept, found.slack)
            if level == 0 and easy and len(sizes) > 1:
                continue
            typical = max(found.slack - blank, 1.0) / max(kept.sum(), 1) ** 0.6
            belief = Belief(tiles, typical, None if belief is None else belief.refined(tiles))
            last = level == len(sizes) - 1
            found = yield from delete(inquiry, belief, found, 0.0 if last else LEAST[min(level, 2)])
            remember(inquiry, tiles, found.kept)
        return found
