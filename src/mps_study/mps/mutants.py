"""Mutants: copies of an image in which only some pixels are kept.

A question holds n mutants of one image in the shortest form (boxes, a position in a ranking, or dense masks).
Each form can paint a mutant into a batch buffer, turn it into a mask, and give it a digest by which repeated
pictures are recognised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray

COMBINATIONS: tuple[tuple[int, ...], ...] = tuple(
    chosen for size in (1, 2, 3) for chosen in combinations(range(4), size)
)
"""The 14 proper, non-empty subsets of four superpixels, in ReX's order."""

Shape = tuple[int, int]


@dataclass(frozen=True)
class Picture:
    """One preprocessed image: `pixels` (c, h, w) float32 and a `baseline` that broadcasts to it."""

    pixels: NDArray[np.float32]
    baseline: NDArray[np.float32]


@dataclass(frozen=True)
class Mutants:
    """n mutants of one image of `shape` (h, w).

    `alone`: each must be evaluated in a batch of one. `label`: the class whose log-odds are asked for; -1 for none.
    `target`: the class that decides whether a mutant passes, to which margins refer; -1 while there is none.
    """

    shape: Shape
    alone: bool = False
    label: int = -1
    target: int = -1

    @property
    def soft(self) -> bool:
        """Whether mutants keep shares of pixels, so that their masks say only where that is more than none."""
        return False

    def __len__(self) -> int:
        raise NotImplementedError

    def mask(self, row: int) -> NDArray[np.bool_]:
        """(h, w) bool, True = kept."""
        raise NotImplementedError

    def masks_of(self, start: int, stop: int) -> NDArray[np.bool_]:
        """(n, h, w) bool, the masks of rows `start` to `stop`."""
        return np.stack([self.mask(row) for row in range(start, stop)])

    def digests(self) -> NDArray[np.uint64]:
        """(n,) equal for equal masks, whatever their form; different ones collide with chance 2**-64."""
        raise NotImplementedError

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        """The mutants of some rows."""
        raise NotImplementedError

    def paint(self, row: int, picture: Picture, out: NDArray[np.float32]) -> None:
        """Write the mutant into `out` (c, h, w): kept pixels from the picture, the rest from its baseline."""
        out[...] = picture.baseline
        np.copyto(out, picture.pixels, where=self.mask(row))


@dataclass(frozen=True)
class Boxes(Mutants):
    """Each mutant keeps the union of disjoint boxes: `boxes` (n, m, 4) int: row start, stop, column start, stop."""

    boxes: NDArray[np.int64] = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.boxes)

    def mask(self, row: int) -> NDArray[np.bool_]:
        mask = np.zeros(self.shape, dtype=bool)
        for top, bottom, left, right in self.boxes[row].tolist():
            mask[top:bottom, left:right] = True
        return mask

    def digests(self) -> NDArray[np.uint64]:
        integral = _digest_integral(self.shape)
        width = self.shape[1] + 1
        top, bottom, left, right = np.moveaxis(self.boxes, -1, 0)
        top, bottom = top * width, bottom * width
        parts = integral[bottom + right] - integral[top + right]
        parts += integral[top + left] - integral[bottom + left]
        digests: NDArray[np.uint64] = parts.sum(axis=1, dtype=np.uint64)
        return digests

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        return replace(self, boxes=self.boxes[rows], alone=alone)

    def areas(self) -> NDArray[np.int64]:
        """(n,) pixels kept."""
        top, bottom, left, right = np.moveaxis(self.boxes, -1, 0)
        areas: NDArray[np.int64] = ((bottom - top) * (right - left)).sum(axis=1)
        return areas

    def paint(self, row: int, picture: Picture, out: NDArray[np.float32]) -> None:
        out[...] = picture.baseline
        for top, bottom, left, right in self.boxes[row].tolist():
            if top < bottom and left < right:
                out[:, top:bottom, left:right] = picture.pixels[:, top:bottom, left:right]


class Ranking:
    """The pixels of an image in the order in which they are kept.

    Args:
        order: (h * w,) flat pixel indices, first kept first.
        shape: (h, w).
    """

    def __init__(self, order: NDArray[np.intp], shape: Shape) -> None:
        self.order, self.shape = order, shape
        self.size = order.size
        position = np.empty(order.size, dtype=np.int32)
        position[order] = np.arange(order.size, dtype=np.int32)
        self.position = position.reshape(shape)
        digests = np.zeros(order.size + 1, dtype=np.uint64)
        np.cumsum(pixel_digests(shape).ravel()[order], out=digests[1:])
        self.digests = digests


@dataclass(frozen=True)
class Prefixes(Mutants):
    """Each mutant keeps the first `counts` (n,) pixels of a ranking."""

    ranking: Ranking = None  # type: ignore[assignment]
    counts: NDArray[np.int64] = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.counts)

    def mask(self, row: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.ranking.position < self.counts[row]
        return mask

    def digests(self) -> NDArray[np.uint64]:
        return self.ranking.digests[self.counts]

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        return replace(self, counts=self.counts[rows], alone=alone)


@dataclass(frozen=True)
class Masks(Mutants):
    """Each mutant is a dense mask: `masks` (n, h, w) bool, True = kept."""

    masks: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.masks)

    def mask(self, row: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.masks[row]
        return mask

    def digests(self) -> NDArray[np.uint64]:
        pixels = pixel_digests(self.shape)
        return np.array([pixels[mask].sum(dtype=np.uint64) for mask in self.masks], dtype=np.uint64)

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        return replace(self, masks=self.masks[rows], alone=alone)


@dataclass(frozen=True)
class Blended(Mutants):
    """Each mutant keeps a share of each pixel, blended bilinearly from the corners of a coarse grid.

    `nodes` (n, rows, columns) bool, True = kept; the first and last lie on the image's first and last pixels, as in
    PyTorch's `UpsamplingBilinear2d`. Shares are whole steps of 2**-16, so that they are equal on every machine.
    """

    nodes: NDArray[np.bool_] = None  # type: ignore[assignment]

    @property
    def soft(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self.nodes)

    def shares(self, row: int) -> NDArray[np.float32]:
        """(h, w) float32 in [0, 1], the share of each pixel that is kept."""
        down, along = (_hats(*sizes) for sizes in zip(self.shape, self.nodes.shape[1:], strict=True))
        shares: NDArray[np.float32] = down @ self.nodes[row].astype(np.float32) @ along.T
        return shares

    def mask(self, row: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.shares(row) > 0
        return mask

    def digests(self) -> NDArray[np.uint64]:
        """(n,) of the nodes, apart from those of any mask."""
        numbers = ~pixel_digests((self.nodes.shape[1], self.nodes.shape[2]))
        sums: NDArray[np.uint64] = np.where(self.nodes, numbers, np.uint64(0)).sum(axis=(1, 2), dtype=np.uint64)
        return sums

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        return replace(self, nodes=self.nodes[rows], alone=alone)

    def paint(self, row: int, picture: Picture, out: NDArray[np.float32]) -> None:
        shares = self.shares(row)
        np.multiply(picture.pixels, shares, out=out)
        out += (1 - shares) * picture.baseline


@dataclass(frozen=True)
class Within(Mutants):
    """Other mutants, of which only the `allowed` (h, w) bool pixels are kept."""

    inner: Mutants = None  # type: ignore[assignment]
    allowed: NDArray[np.bool_] = None  # type: ignore[assignment]

    @property
    def soft(self) -> bool:
        return self.inner.soft

    def __len__(self) -> int:
        return len(self.inner)

    def mask(self, row: int) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = self.inner.mask(row) & self.allowed
        return mask

    def digests(self) -> NDArray[np.uint64]:
        pixels = pixel_digests(self.shape)
        if self.soft:  # masks do not tell shares
            allowed: NDArray[np.uint64] = self.inner.digests() ^ pixels[self.allowed].sum(dtype=np.uint64)
            return allowed
        sums = [pixels[self.mask(row)].sum(dtype=np.uint64) for row in range(len(self))]
        return np.array(sums, dtype=np.uint64)

    def take(self, rows: NDArray[np.intp], alone: bool = False) -> Self:
        return replace(self, inner=self.inner.take(rows, alone), alone=alone)

    def paint(self, row: int, picture: Picture, out: NDArray[np.float32]) -> None:
        self.inner.paint(row, picture, out)
        np.copyto(out, picture.baseline, where=~self.allowed)


@lru_cache(maxsize=64)
def pixel_digests(shape: Shape) -> NDArray[np.uint64]:
    """A random 64-bit number for each pixel; a mask's digest is their sum modulo 2**64 (Zobrist hashing)."""
    values = np.random.default_rng(20240222).integers(0, 2**64, size=shape, dtype=np.uint64)
    values.flags.writeable = False
    return values


@lru_cache(maxsize=64)
def _hats(size: int, nodes: int) -> NDArray[np.float32]:
    """(size, nodes) how much each node weighs at each pixel along one side, in whole steps of 2**-8."""
    hats = np.ones((size, nodes), dtype=np.float32)
    if nodes > 1:
        position = np.linspace(0, nodes - 1, size)
        left = np.minimum(position.astype(np.intp), nodes - 2)
        to_the_right = (np.rint((position - left) * 256) / 256).astype(np.float32)
        hats[:] = 0
        hats[np.arange(size), left] = 1 - to_the_right
        hats[np.arange(size), left + 1] = to_the_right
    return hats


@lru_cache(maxsize=64)
def _digest_integral(shape: Shape) -> NDArray[np.uint64]:
    """Flattened (h + 1, w + 1) integral image of the pixel digests: a box's digest in four look-ups."""
    integral = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.uint64)
    integral[1:, 1:] = pixel_digests(shape).cumsum(axis=0).cumsum(axis=1)
    flat = integral.ravel()
    flat.flags.writeable = False
    return flat
