"""Several sufficient sets of one image, each verified, none overlapping an earlier one more than is allowed.

Chockler, Kelly, Kroening 2023, Multiple Different Black Box Explanations for Image Classifiers, finds them by
spotlights. Forbidding what was found and searching again is the other way.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.chance import generator
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks, Shape
from mps_study.mps.rankings import by_value
from mps_study.mps.sufficiency import passes, shortest_prefix
from mps_study.mps.tiles import Grid, grid
from mps_study.mps.types import Found, Mps, Search

Again = Callable[[], Search[Found]]
"""The strategy that found the first set, ready to search once more."""
Mask = NDArray[np.bool_]

INITIAL_RADIUS = 25 / 224
"""Radius of a spotlight, as a share of the image's longer side: rex-xai's 25 pixels at 224."""
GROWTH, SIZES, LOCATIONS = 0.2, 4, 40
"""As in rex-xai: a spotlight grows by a fifth, is tried in four sizes, and at 40 places for one set."""


def by_forbidding(
    inquiry: Inquiry, shape: Shape, key: str, first: Found, again: Again, found: list[Mps]
) -> Search[None]:
    """Search again without the pixels of all sets so far, until what is left is no longer sufficient.

    With `overlap` above 0, half that share of each set is free again (whole tiles of the granularity, drawn by the
    seed), so that the Dice coefficient of two sets stays at or below it whatever their sizes.
    """
    config = inquiry.config
    allowed = np.ones(shape, dtype=bool)
    while len(found) < config.several:
        allowed = allowed & ~_forbidden(found[-1].mask, inquiry, f"{key}/{len(found)}")
        inquiry.allowed = None
        left = yield from inquiry.ask(Masks(shape, label=inquiry.target.label, masks=allowed[None]))
        if not passes(left, inquiry)[0]:
            break
        inquiry.allowed, inquiry.candidate = allowed, None
        another = yield from again()
        if another.mps is None:
            break
        found.append(another.mps)
    inquiry.allowed = None


def by_spotlights(
    inquiry: Inquiry, shape: Shape, key: str, first: Found, again: Again, found: list[Mps]
) -> Search[None]:
    """Where a random disc of the image is sufficient, the shortest prefix of the ranking inside it.

    A strategy without a ranking searches the disc, rounded up to whole tiles of the granularity, instead.

    A disc is tried in four sizes, then another place, at most 40 for one set. A set that overlaps an earlier one too
    much is dropped and counts as one of the `several`. rex-xai rounds radii down and draws from another stream.
    """
    random = generator("spotlights", inquiry.config.seed, key)
    for _ in range(inquiry.config.several - 1):
        whole_tiles = None if first.landscape is not None else grid(shape, inquiry.config.granularity)
        disc = yield from _sufficient_disc(inquiry, shape, random, whole_tiles)
        if disc is None:
            continue
        if first.landscape is None:
            inquiry.allowed, inquiry.candidate = disc, None
            another = (yield from again()).mps
            inquiry.allowed = None
        else:
            inside = np.where(disc, first.landscape, first.landscape.min() - 1)
            another = yield from shortest_prefix(inquiry, by_value(inside.astype(np.float32)), most=int(disc.sum()))
        if another and all(dice(another.mask, other.mask) <= inquiry.config.overlap for other in found):
            found.append(another)


SEVERAL: dict[str, Callable[[Inquiry, Shape, str, Found, Again, list[Mps]], Search[None]]] = {
    "forbidding": by_forbidding,
    "spotlights": by_spotlights,
}
"""Each adds to `found`, which holds the first set, whatever else it finds, so that a spent budget loses nothing."""


def dice(one: Mask, other: Mask) -> float:
    """Sorensen-Dice coefficient in [0, 1] of two masks (h, w); 1 when both are empty, 0 when one is or disjoint."""
    together = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / together if together else 1.0


def _forbidden(mask: Mask, inquiry: Inquiry, key: str) -> Mask:
    """The pixels of a set that may not be kept again."""
    config = inquiry.config
    free = int(config.overlap / 2 * mask.sum())
    if not free:
        return mask
    tiles = _tile_numbers(mask.shape, config.granularity)
    forbidden = mask.copy()
    for tile in generator("overlap", config.seed, key).permutation(np.unique(tiles[mask])).tolist():
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


def _sufficient_disc(
    inquiry: Inquiry, shape: Shape, random: np.random.Generator, whole_tiles: Grid | None
) -> Search[Mask | None]:
    down, along = np.mgrid[: shape[0], : shape[1]]
    for _ in range(LOCATIONS):
        centre = random.uniform(0, shape[0]), random.uniform(0, shape[1])
        distance = np.hypot(down + 0.5 - centre[0], along + 0.5 - centre[1])
        radii = INITIAL_RADIUS * max(shape) * (1 + GROWTH) ** np.arange(SIZES)
        discs = np.array([distance <= radius for radius in radii])
        if whole_tiles:
            discs = np.array([whole_tiles.mask(whole_tiles.touched(disc)) for disc in discs])
        reply = yield from inquiry.ask(Masks(shape, label=inquiry.target.label, masks=discs))
        passing = passes(reply, inquiry)
        if passing.any():
            disc: Mask = discs[np.argmax(passing)]
            return disc
    return None
