"""Rows of slices: how many there are, the classes that they ask about, and the slices cut into batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.types import Slice


def rows_of(batch: Sequence[Slice]) -> int:
    """Mutants in all slices."""
    return sum(part.stop - part.start for part in batch)


def classes_of(batch: Sequence[Slice], which: Literal["label", "target"]) -> NDArray[np.int64]:
    """(b,) the class of each row of this kind (see `Mutants`), -1 where it has none."""
    sizes = [part.stop - part.start for part in batch]
    return np.repeat(np.array([getattr(part.mutants, which) for part in batch], dtype=np.int64), sizes)


def chunks(batch: Sequence[Slice], most: int) -> list[list[Slice]]:
    """The slices in batches of `most` rows at most, in order."""
    parts: list[list[Slice]] = []
    room = 0
    for part in batch:
        start = part.start
        while start < part.stop:
            if not room:
                parts.append([])
                room = most
            stop = min(part.stop, start + room)
            parts[-1].append(replace(part, start=start, stop=stop))
            room -= stop - start
            start = stop
    return parts
