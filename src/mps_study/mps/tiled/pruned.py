"""Any strategy's set, made smaller until it can spare none of its tiles, with the certificate of that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from mps_study.mps.common.terms import Terms
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.pruning import prune
from mps_study.mps.minimal.tiles import grid, sizes_of_tiles
from mps_study.mps.mutants import Masks
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.tiled.on_tiles import as_mps
from mps_study.mps.types import Curves, Found, Mps, Search


@dataclass(frozen=True)
class Pruned(Strategy):
    """Another strategy, whose sets are pruned.

    Args:
        strategy: what finds them. It must keep to the inquiry's share and pixels (`asked_again`).
        granularity: side in pixels of the tiles that are deleted. Of a set that is not made of them, what lies in one
            tile is deleted together.
    """

    asked_again: ClassVar[bool] = True

    strategy: Strategy = field(default_factory=Strategy)
    granularity: int = 4

    @property
    def tile(self) -> int:
        """As the strategy has it."""
        return self.strategy.tile

    @property
    def needs_map(self) -> bool:
        """As the strategy has it."""
        return self.strategy.needs_map

    @property
    def curves_wanted(self) -> bool:
        """As the strategy has it."""
        return self.strategy.curves_wanted

    def fits(self, terms: Terms) -> None:
        """As the strategy has it."""
        self.strategy.fits(terms)

    def covering(self, region: Mask) -> Mask:
        """As the strategy has it."""
        return self.strategy.covering(region)

    def curves(self, inquiry: Inquiry, first: Found) -> Search[Curves | None]:
        """As the strategy has it: of the map, which pruning leaves as it is."""
        return (yield from self.strategy.curves(inquiry, first))

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """What the strategy finds, its set pruned."""
        found = yield from self.strategy.find(inquiry)
        if found.mps is None:
            return found
        return replace(found, mps=(yield from pruned(inquiry, found.mps, self.granularity)))

    def find_inside(self, inquiry: Inquiry, region: Mask, first: Found) -> Search[Mps | None]:
        """What the strategy finds there, pruned."""
        another = yield from self.strategy.find_inside(inquiry, region, first)
        return None if another is None else (yield from pruned(inquiry, another, self.granularity))


def pruned(inquiry: Inquiry, mps: Mps, granularity: int) -> Search[Mps | None]:
    """What is left of a set that passes when no tile of it can be spared; None if that does not pass alone.

    Coarse tiles are tried before fine ones, each size half the last.
    """
    before, inquiry.allowed = inquiry.allowed, mps.mask
    inquiry.candidate = Masks(inquiry.shape, label=inquiry.target.label, masks=mps.mask[None])
    sizes = [size.pixels for size in sizes_of_tiles(inquiry.shape, granularity)]
    tiles = grid(inquiry.shape, sizes[0])
    kept, promise = tiles.whole(), np.zeros(tiles.tiles, dtype=np.int64)
    for pixels in sizes:
        coarser, tiles = tiles, grid(inquiry.shape, pixels)
        kept = tiles.refine(kept, coarser) & tiles.touched(mps.mask)
        kept, promise = yield from prune(inquiry, tiles, kept, tiles.refine(promise, coarser))
    smaller = yield from as_mps(inquiry, tiles, kept, certified=True)
    inquiry.allowed = before
    return smaller
