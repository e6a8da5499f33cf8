"""Rows of slices: how many there are, and the slices cut into batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mps_study.mps.types import Slice


def rows_of(batch: Sequence[Slice]) -> int:
    """Mutants in all slices."""
    return sum(part.stop - part.start for part in batch)


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
