"""Where a box is cut into four superpixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mps_study.mps.common.chance import number_of

Bounds = tuple[int, int, int, int]
"""Row start, row stop, column start, column stop."""

Cut = Callable[["Superpixel"], tuple[int, int] | None]
"""The row and column, inside the box, at which a superpixel is split; None if it cannot be."""


@dataclass(eq=False)
class Superpixel:
    """A box of the partition tree. `path` holds the quadrant taken at each level, so its length is the depth."""

    bounds: Bounds
    path: tuple[int, ...] = ()
    responsibility: np.float32 = field(default_factory=lambda: np.float32(0))
    children: tuple[Superpixel, ...] | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return self.bounds[1] - self.bounds[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.bounds[3] - self.bounds[2]

    def split(self, cut: Cut, deepest: int, least: int) -> tuple[Superpixel, ...]:
        """Its four children, clockwise rows first; none if it cannot be cut, is deeper or has fewer pixels than said.

        Children start with the responsibility that the box has earned so far. A child may be empty, when the
        cut falls on the first row or column.
        """
        if self.children is None:
            self.children = ()
            splittable = len(self.path) <= deepest and self.height * self.width >= least
            position = cut(self) if splittable else None
            if position is not None:
                self.children = self._quarter(*position)
        return self.children

    def _quarter(self, row: int, column: int) -> tuple[Superpixel, ...]:
        top, bottom, left, right = self.bounds
        quarters: tuple[Bounds, ...] = (
            (top, row, left, column),
            (top, row, column, right),
            (row, bottom, left, column),
            (row, bottom, column, right),
        )
        return tuple(Superpixel(bounds, (*self.path, i), self.responsibility) for i, bounds in enumerate(quarters))


def rex_cut(seed: int, key: str, iteration: int) -> Cut:
    """Pixel positions from rex-xai 0.4.1's random stream: one draw of `randint(1, h * w)` a split."""
    random = np.random.RandomState((seed + iteration) % 2**32)

    def cut(box: Superpixel) -> tuple[int, int] | None:
        pixels = box.height * box.width
        if pixels < 2:
            return None
        row, column = divmod(int(random.randint(1, pixels)), box.width)
        return box.bounds[0] + row, box.bounds[2] + column

    return cut


def fraction_cut(seed: int, key: str, iteration: int) -> Cut:
    """Shares of the box, drawn from the seed, the image's key, the iteration and the box's path alone.

    The same superpixels result for every input size, up to rounding to whole pixels, and they do not depend
    on the order in which boxes are split.
    """
    image = number_of(key)

    def cut(box: Superpixel) -> tuple[int, int] | None:
        if box.height * box.width < 2:
            return None
        drawn = np.random.SeedSequence([seed, image, iteration, *box.path, len(box.path)])
        down, along = drawn.generate_state(2, np.uint64) / 2.0**64
        row = box.bounds[0] + min(int(down * box.height), box.height - 1)
        column = box.bounds[2] + min(int(along * box.width), box.width - 1)
        return row, column

    return cut


CUTS: dict[str, Callable[[int, str, int], Cut]] = {
    "rex": rex_cut,
    "fraction": fraction_cut,
}
"""Each makes the cut of one iteration, from the seed, the image's key and the number of the iteration."""
