"""What is believed of tiles: how much slack the deletion of each one costs, and how sure that is.

Independent normal distributions, one a tile, learnt from every answer as by a Kalman filter with a diagonal covariance
(Kalman 1960): a group's loss is taken for the sum of its tiles' plus a discrepancy that grows with the group, because
losses do not add up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.minimal.tiles import Grid, Kept

Tiles = NDArray[np.intp]
"""Indices of some tiles of a grid."""

DISCREPANCY = 0.15
"""How far, a tile, the loss of a group is from the sum of its tiles', in typical losses."""

NEARBY = 0.3
"""How far the loss of a tile moves when one beside it goes, in typical losses."""

TOLD = 0.1
"""How sure is what the deletion of one tile alone has told, in typical losses."""

UNSURE = 0.7
"""How far what a tile brings that comes back is from what it cost, as a share of that."""

CAUTION = 0.3
"""By how many of its standard deviations a tile waits longer to be deleted with others."""

INHERITED = 0.5
"""Share of a tile's loss that its quarters keep together: finer tiles cost less than what they are part of."""

FIRST_MEAN = 0.25
"""What a tile is believed to cost before anything is known of it, in typical losses."""

SHARED = 0.6
"""The typical loss is the slack of a set over this power of its tiles: they overlap, or each would lose its share."""

MOST = 2.0
"""Nats that an answer counts for at most: beyond, it says that a group mattered and not how much."""


class Belief:
    """Mean and variance (t,) of the loss of each tile of a grid, in nats of slack.

    `typical` is the loss of one tile as it is, re-estimated from every tile that was deleted alone. `gains`: of tiles
    that are gone what each one cost then, and so would bring if it came back.
    """

    def __init__(self, grid: Grid, typical: float, mean: NDArray[np.float64] | None = None) -> None:
        self.grid, self.typical = grid, typical
        self._squares, self._singles = 4 * typical**2, 4.0
        self.gains: dict[int, float] = {}
        self.mean = np.zeros(grid.tiles) if mean is None else mean.copy()
        self.mean[self.mean == 0] = FIRST_MEAN * typical
        self.variance = np.full(grid.tiles, typical**2)

    @classmethod
    def of_set(cls, grid: Grid, kept: Kept, slack: float, coarser: Belief | None) -> Belief:
        """Of the tiles of a set (t,) bool with this slack more than nothing has; means from coarser tiles if known."""
        typical = max(slack, 1.0) / max(int(kept.sum()), 1) ** SHARED
        return cls(grid, typical, None if coarser is None else coarser.refined(grid))

    def chances(self, tiles: Tiles, slack: float) -> NDArray[np.float64]:
        """(n,) that a set with this slack passes without each of the tiles."""
        return _normal((slack - self.mean[tiles]) / np.sqrt(self.variance[tiles]))

    def in_order(self, tiles: Tiles) -> Tiles:
        """The tiles, those first that are most surely cheap."""
        return tiles[np.lexsort((tiles, self.mean[tiles] + CAUTION * np.sqrt(self.variance[tiles])))]

    def chances_of_groups(self, order: Tiles, slack: float, gain: float = 0.0) -> NDArray[np.float64]:
        """(n,) that a set with this slack passes without the first 1, 2, ... of the tiles and with one of this gain."""
        together = np.cumsum(self.mean[order])
        apart = np.arange(1, len(order) + 1) * (DISCREPANCY * self.typical)
        variance = np.cumsum(self.variance[order]) + apart**2 + (UNSURE * gain) ** 2
        return _normal((slack + gain - together) / np.sqrt(variance))

    def one_is_lost(self, tile: int, loss: float) -> None:
        """Learn what a tile cost, in a set that goes on with it."""
        self.mean[tile], self.variance[tile] = loss, (TOLD * self.typical) ** 2

    def group_is_lost(self, tiles: Tiles, loss: float) -> None:
        """Learn what a group cost: the difference is shared by variance."""
        variance = self.variance[tiles]
        share = variance / (variance.sum() + (DISCREPANCY * self.typical * len(tiles)) ** 2)
        self.mean[tiles] += share * (loss - self.mean[tiles].sum())
        self.variance[tiles] *= 1 - share

    def single_was_asked(self, loss: float) -> None:
        """Re-estimate the typical loss."""
        self._squares += min(loss**2, 4 * self.typical**2)
        self._singles += 1
        self.typical = float(np.sqrt(self._squares / self._singles))

    def are_gone(self, tiles: Tiles, losses: NDArray[np.float64]) -> None:
        """What is known ages with the tiles that a set loses for good, for (n,) losses, and fastest beside them."""
        self.gains.update(zip(tiles.tolist(), losses.tolist(), strict=True))
        self.variance += len(tiles) * (DISCREPANCY * self.typical) ** 2
        if len(tiles) <= 4:
            for tile in tiles.tolist():
                self.variance[_beside(self.grid, tile)] += (NEARBY * self.typical) ** 2

    def is_back(self, tile: int, gain: float) -> None:
        """A tile that was gone is part of the set again."""
        self.mean[tile], self.variance[tile] = gain, (0.5 * self.typical) ** 2

    def refined(self, finer: Grid) -> NDArray[np.float64]:
        """(t,) the mean loss of each tile of a finer grid."""
        parts = (finer.size / self.grid.size) ** 2
        return finer.refine(np.clip(self.mean, -1, 1), self.grid) * (parts * INHERITED)


def _normal(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution function by its logistic approximation (Bowling et al. 2009), off by less than .01."""
    return 1 / (1 + np.exp(-1.702 * np.clip(z, -40, 40)))


def _beside(grid: Grid, tile: int) -> list[int]:
    """The up to eight tiles that touch one."""
    row, column = divmod(tile, grid.columns)
    rows = range(max(0, row - 1), min(grid.rows, row + 2))
    columns = range(max(0, column - 1), min(grid.columns, column + 2))
    return [r * grid.columns + c for r in rows for c in columns if (r, c) != (row, column)]
