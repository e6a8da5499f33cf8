"""The strategy `minimal`: a set of tiles is grown and pruned until it can spare none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mps_study.mps.common.fields import whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.growth import consider, grow, remember
from mps_study.mps.minimal.pruning import prune
from mps_study.mps.minimal.tiles import Cells, Kept, grid, sizes_of_tiles
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.types import Certificate, Found, Mps, Search


@dataclass(frozen=True)
class Minimal(Strategy):
    """A sufficient set of tiles that can spare none of them, with its certificate.

    Args:
        granularity: side of the tiles in pixels.
    """

    asked_again: ClassVar[bool] = True

    granularity: int = whole(4, least=1)

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The set; the empty one if the baseline alone passes.

        From coarse tiles to fine: grow a set out of nothing inside the last one, and where that finds nothing
        smaller, prune the last one. Once growing has found nothing it is not tried at finer tiles, of which it would
        need more.
        """
        finest = grid(inquiry.shape, self.granularity)
        passing, _ = yield from consider(inquiry, finest, finest.nothing()[None])
        if passing[0]:
            return Found((yield from self._certify(inquiry, finest.nothing())))
        sizes = sizes_of_tiles(inquiry.shape, self.granularity)
        tiles = grid(inquiry.shape, sizes[0].pixels)
        kept, promise, growing = tiles.whole(), np.zeros(tiles.tiles, dtype=np.int64), True
        for size in sizes:
            coarser, tiles = tiles, grid(inquiry.shape, size.pixels)
            last, promise = tiles.refine(kept, coarser), tiles.refine(promise, coarser)
            kept = last
            if growing and size.growing_steps:
                kept, promise = yield from grow(inquiry, tiles, last, size.growing_steps)
                growing = not np.array_equal(kept, last)
            if np.array_equal(kept, last):
                kept, promise = yield from prune(inquiry, tiles, last, promise)
            remember(inquiry, tiles, kept)
        return Found((yield from self._certify(inquiry, kept)))

    @property
    def tile(self) -> int:
        """Side of the tiles in pixels."""
        return self.granularity

    def covering(self, region: Mask) -> Mask:
        """The region (h, w) bool, rounded up to whole tiles."""
        tiles = grid((region.shape[0], region.shape[1]), self.granularity)
        return tiles.mask(tiles.touched(region))

    def _certify(self, inquiry: Inquiry, kept: Kept) -> Search[Mps | None]:
        """The set of tiles as an MPS with its certificate, once it has passed alone; None if it does not.

        `kept` (t,) bool is the result of `prune`, whose last questions were the deletion of each tile.
        """
        tiles = grid(inquiry.shape, self.granularity)
        alone = Cells(inquiry.shape, label=inquiry.target.label, grid=tiles, kept=kept[None])
        reply = yield from inquiry.ask_alone(alone)
        if not inquiry.passes(reply)[0]:
            return None
        certificate = Certificate(self.granularity, inquiry.floor(), int(kept.sum()))
        return Mps(inquiry.visible(tiles.mask(kept)), float(reply.confidences[0]), certificate)
