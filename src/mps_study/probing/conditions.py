"""The conditions under which a known set is asked about again, by name.

A condition makes variants of a known set: each a picture with a baseline, and the pixels that are kept of it. One that
leaves something to chance makes as many as it is asked for; all draw from the seed, the image's key and the condition.
"""

from __future__ import annotations

import io
import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.common.chance import generator
from mps_study.mps.extras import dilated
from mps_study.mps.mutants import Picture
from mps_study.probing.known import KnownSet, Mask, Pixels, tiles_of

Variant = tuple[Picture, Mask]


class NotAskedError(ValueError):
    """A condition that this set cannot be put under; the message says why."""


class Condition:
    """Shows a known set otherwise.

    `by_chance`: whether every variant is another one, drawn by chance; else there are `fixed` of them.
    """

    by_chance = False
    fixed = 1

    @abstractmethod
    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """All variants; n of them where they are drawn.

        Raises:
            NotAskedError: the set cannot be shown so.
        """


@dataclass(frozen=True)
class Behind(Condition):
    """The same pixels over another baseline of `mps.baselines.BASELINES`."""

    kind: str

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """One."""
        picture = baseline_picture(known.picture.pixels, self.kind, Surroundings(known.key, known.seed))
        return [(picture, known.mask)]


@dataclass(frozen=True)
class Coloured(Condition):
    """The same pixels over black or white, as they are before the model's normalisation."""

    colour: str

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """One."""
        return [(Picture(known.picture.pixels, getattr(known.colours, self.colour)), known.mask)]


class AnotherPhotograph(Condition):
    """The same pixels over another image of the sample."""

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """One."""
        if known.another is None:
            raise NotAskedError("the sample has no other image")
        return [(Picture(known.picture.pixels, known.another), known.mask)]


class RandomBackgrounds(Condition):
    """Every other value uniform between the smallest and the largest of the image: what rex-xai calls robustness."""

    by_chance = True

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """n of them."""
        pixels, random = known.picture.pixels, generator("random background", known.seed, known.key)
        low, high = float(pixels.min()), float(pixels.max())
        drawn = (random.uniform(low, high, pixels.shape).astype(np.float32) for _ in range(n))
        return [(Picture(pixels, background), known.mask) for background in drawn]


@dataclass(frozen=True)
class Dilated(Condition):
    """The set grown so many pixels up, down, left and right."""

    steps: int

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """One."""
        mask = known.mask
        for _ in range(self.steps):
            mask = dilated(mask)
        return [(known.picture, mask)]


@dataclass(frozen=True)
class TilesLost(Condition):
    """The set without a share of its tiles, at least one, drawn by chance."""

    share: float
    by_chance = True

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """n of them."""
        tiles = tiles_of(known.mask, known.tile)
        lost = math.ceil(self.share * len(tiles))
        if lost >= len(tiles):
            raise NotAskedError("the set has one tile")
        random = generator("tiles lost", known.seed, known.key)
        found = []
        for _ in range(n):
            mask = known.mask.copy()
            for place in random.choice(len(tiles), lost, replace=False):
                mask &= ~tiles[place]
            found.append((known.picture, mask))
        return found


@dataclass(frozen=True)
class Shifted(Condition):
    """The set moved so many pixels up, down, left and right over its baseline; what leaves the input is lost."""

    steps: int
    fixed = 4

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """Four."""
        found = []
        for axis, step in ((0, -self.steps), (0, self.steps), (1, -self.steps), (1, self.steps)):
            mask = np.roll(known.mask, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(step, None) if step < 0 else slice(0, step)
            mask[tuple(edge)] = False
            picture = Picture(np.roll(known.picture.pixels, step, axis + 1), known.picture.baseline)
            found.append((picture, mask))
        return found


@dataclass(frozen=True)
class Compressed(Condition):
    """The painted picture, saved as JPEG and read again. Values beyond black and white are cut off there."""

    quality: int

    def variants(self, known: KnownSet, n: int) -> list[Variant]:
        """One."""
        picture = known.picture
        painted = np.where(known.mask, picture.pixels, picture.baseline).astype(np.float32)
        return [(Picture(self._again(painted, known), picture.baseline), np.ones_like(known.mask))]

    def _again(self, painted: Pixels, known: KnownSet) -> Pixels:
        if len(painted) not in (1, 3):
            raise NotAskedError(f"JPEG has 1 or 3 channels, the model {len(painted)}")
        order = slice(None, None, -1 if known.colours.blue_first else 1)
        black, span = known.colours.black, known.colours.white - known.colours.black
        values = np.rint(np.clip((painted - black) / span, 0, 1) * 255).astype(np.uint8)[order]
        buffer = io.BytesIO()
        Image.fromarray(_last_channel(values)).save(buffer, "JPEG", quality=self.quality)
        read = np.asarray(Image.open(buffer), np.float32).reshape(*painted.shape[1:], len(painted))
        again: Pixels = (np.moveaxis(read, 2, 0)[order] / np.float32(255) * span + black).astype(np.float32)
        return np.ascontiguousarray(again)


def _last_channel(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) of one channel, else (h, w, c)."""
    return values[0] if len(values) == 1 else np.ascontiguousarray(np.moveaxis(values, 0, 2))


CONDITIONS: dict[str, Condition] = {
    "mean": Behind("mean"),
    "min": Behind("min"),
    "blur": Behind("blur"),
    "noise": Behind("noise"),
    "black": Coloured("black"),
    "white": Coloured("white"),
    "another_photograph": AnotherPhotograph(),
    "random_backgrounds": RandomBackgrounds(),
    "dilation_1": Dilated(1),
    "dilation_2": Dilated(2),
    "dilation_4": Dilated(4),
    "tiles_lost": TilesLost(0.05),
    "shift_1": Shifted(1),
    "jpeg": Compressed(75),
}
