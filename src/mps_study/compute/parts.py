"""One part of n of a study's images, for arrays of jobs that share a record store and know nothing of each other."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Every `of`-th image of the manifest, beginning with the `number`-th: parts are as dear as each other.

    Images of one half or class lie together in a manifest, so a part of neighbours could be dearer than another.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number} of {self.of}"

    def has(self, position: int) -> bool:
        """Whether the image at this position of the manifest, from 0, belongs to the part."""
        return position % self.of == self.number - 1


def part_of(shard: object) -> Part | None:
    """The part that `3/16` names; None for None: all images.

    Raises:
        ValueError: it names no part.
    """
    if shard is None:
        return None
    said = re.fullmatch(r"([0-9]+)/([0-9]+)", shard) if isinstance(shard, str) else None
    if said is None or not 1 <= int(said[1]) <= int(said[2]):
        raise ValueError(f"parameter 'shard' is {shard!r}; use a part of n such as 3/16, from 1/16 to 16/16, or null")
    return Part(int(said[1]), int(said[2]))
