"""Several sufficient sets of one image, each verified, none overlapping an earlier one more than is allowed.

Chockler, Kelly, Kroening 2023, Multiple Different Black Box Explanations for Image Classifiers, finds them by
spotlights. Forbidding what was found and searching again is the other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.chance import generator
from mps_study.mps.common.fields import Parameters, whole
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.strategy import Mask, Strategy
from mps_study.mps.types import Found, Mps, Search

INITIAL_RADIUS = 25 / 224
"""Radius of a spotlight, as a share of the image's longer side: rex-xai's 25 pixels at 224."""
GROWTH, SIZES, LOCATIONS = 0.2, 4, 40
"""As in rex-xai: a spotlight grows by a fifth, is tried in four sizes, and at 40 places for one set."""


@dataclass
class Collection:
    """The sets of one image, the first one first.

    Args:
        first: what the strategy found in the whole image.
        wanted: sets that are looked for, the first included.
        overlap: the largest Dice coefficient of two of them.
        sets: those found so far. A way adds to it whatever else it finds, so that a spent budget loses nothing.
    """

    first: Found
    wanted: int
    overlap: float
    sets: list[Mps]


@dataclass(frozen=True)
class Several(Parameters):
    """How further sets of an image are found. A new way says `collect`."""

    def collect(self, inquiry: Inquiry, strategy: Strategy, found: Collection) -> Search[None]:
        """Add to the sets."""
        raise NotImplementedError


@dataclass(frozen=True)
class Forbidding(Several):
    """Search again without the pixels of all sets so far, until what is left is no longer sufficient.

    With `overlap` above 0, half that share of each set is free again (whole tiles, drawn by the seed), so that the
    Dice coefficient of two sets stays at or below it whatever their sizes.

    Args:
        granularity: side in pixels of the tiles that are free again; None for the strategy's own.
    """

    granularity: int | None = whole(None, least=1)

    def collect(self, inquiry: Inquiry, strategy: Strategy, found: Collection) -> Search[None]:
        """Add the sets of searches in what is left."""
        allowed = np.ones(inquiry.shape, dtype=bool)
        while len(found.sets) < found.wanted:
            random = generator("overlap", inquiry.terms.seed, f"{inquiry.key}/{len(found.sets)}")
            side = self.granularity or strategy.tile
            allowed = allowed & ~_forbidden(found.sets[-1].mask, found.overlap, side, random)
            inquiry.allowed = None
            left = yield from inquiry.ask(Masks(inquiry.shape, label=inquiry.target.label, masks=allowed[None]))
            if not inquiry.passes(left)[0]:
                break
            inquiry.allowed, inquiry.candidate = allowed, None
            another = yield from strategy.find(inquiry)
            if another.mps is None:
                break
            found.sets.append(another.mps)
        inquiry.allowed = None


@dataclass(frozen=True)
class Spotlights(Several):
    """Where a random disc of the image is sufficient, the set that the strategy finds inside it.

    A disc is tried in four sizes, then another place, at most 40 for one set. A set that overlaps an earlier one too
    much is dropped and counts as one of the `several`. rex-xai rounds radii down and draws from another stream.
    """

    def collect(self, inquiry: Inquiry, strategy: Strategy, found: Collection) -> Search[None]:
        """Add the sets of sufficient discs."""
        random = generator("spotlights", inquiry.terms.seed, inquiry.key)
        for _ in range(found.wanted - 1):
            disc = yield from self._sufficient_disc(inquiry, strategy, random)
            if disc is None:
                continue
            another = yield from strategy.find_inside(inquiry, disc, found.first)
            if another and all(dice(another.mask, other.mask) <= found.overlap for other in found.sets):
                found.sets.append(another)

    def _sufficient_disc(
        self, inquiry: Inquiry, strategy: Strategy, random: np.random.Generator
    ) -> Search[Mask | None]:
        for _ in range(LOCATIONS):
            discs = np.array([strategy.covering(disc) for disc in _discs(inquiry.shape, random)])
            reply = yield from inquiry.ask(Masks(inquiry.shape, label=inquiry.target.label, masks=discs))
            passing = inquiry.passes(reply)
            if passing.any():
                disc: Mask = discs[np.argmax(passing)]
                return disc
        return None


SEVERAL: dict[str, type[Several]] = {"forbidding": Forbidding, "spotlights": Spotlights}


def dice(one: Mask, other: Mask) -> float:
    """Sorensen-Dice coefficient in [0, 1] of two masks (h, w); 1 when both are empty, 0 when one is or disjoint."""
    together = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / together if together else 1.0


def _forbidden(mask: Mask, overlap: float, side: int, random: np.random.Generator) -> Mask:
    """The pixels of a set that may not be kept again: all but some tiles, if an overlap is allowed."""
    free = int(overlap / 2 * mask.sum())
    if not free:
        return mask
    tiles = _tile_numbers(mask.shape, side)
    forbidden = mask.copy()
    for tile in random.permutation(np.unique(tiles[mask])).tolist():
        part = mask & (tiles == tile)
        if part.sum() > free:
            break
        free -= int(part.sum())
        forbidden &= ~part
    return forbidden


def _tile_numbers(shape: tuple[int, ...], size: int) -> NDArray[np.int64]:
    rows, columns = np.arange(shape[0]) // size, np.arange(shape[1]) // size
    numbers: NDArray[np.int64] = rows[:, None] * (columns[-1] + 1) + columns[None, :]
    return numbers


def _discs(shape: tuple[int, int], random: np.random.Generator) -> Iterator[Mask]:
    """Discs (h, w) of four sizes around a random place."""
    down, along = np.mgrid[: shape[0], : shape[1]]
    centre = random.uniform(0, shape[0]), random.uniform(0, shape[1])
    distance = np.hypot(down + 0.5 - centre[0], along + 0.5 - centre[1])
    for radius in INITIAL_RADIUS * max(shape) * (1 + GROWTH) ** np.arange(SIZES):
        yield distance <= radius
