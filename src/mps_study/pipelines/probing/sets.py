"""The sets that are asked about, as the record store has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.datasets.records.by_image import RecordsByImage
from mps_study.datasets.records.store import RecordStore, unpack_mask
from mps_study.mps.types import FOUND

READ = (
    "status", "target", "target_confidence", "top", "view", "height", "width", "mask", "certificate", "floors",
    "floor_masks",
)  # fmt: skip
"""Columns of the record store that sets are made of."""

NO_SET, NO_SET_AT_FLOOR = "no set", "no set at this floor"


@dataclass(frozen=True)
class StoredSet:
    """A set of a record.

    Args:
        search: that found it.
        share: of the original confidence, that was demanded of it.
        mask: (h, w) bool, True = kept; None without one, and `missing` says why.
        label: the class that it keeps.
        view: top, left, bottom, right of what its model saw of the source image.
        tile: side of its certificate's tiles; None without one.
        floor: the confidence that passes, of a class that is not on top of the whole image; None where it is.
    """

    search: str
    share: float
    mask: NDArray[np.bool_] | None
    label: int = -1
    view: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    tile: int | None = None
    floor: float | None = None
    missing: str = ""

    def passes(self, label: int, confidence: float) -> bool:
        """Whether an answer keeps the class."""
        return label == self.label if self.floor is None else confidence >= self.floor


class StoredSets:
    """Sets of one model by several searches, read when they are asked for."""

    def __init__(self, store: RecordStore, model: str, marks: Mapping[str, str], shares: Mapping[str, float]) -> None:
        self._model, self._shares = model, shares
        self._records: dict[str, RecordsByImage] = {
            search: store.by_image({model: digest}) for search, digest in marks.items()
        }

    def first(self, image: str) -> Iterator[StoredSet]:
        """The set of each search."""
        for search, records in self._records.items():
            yield self._first(search, records.record(image, self._model, READ))

    def at_floors(self, image: str) -> Iterator[StoredSet]:
        """The set of each search, and those at its floors."""
        for search, records in self._records.items():
            row = records.record(image, self._model, READ)
            first = self._first(search, row)
            yield first
            if row is not None and first.mask is not None:
                yield from _floors(first, row)

    def _first(self, search: str, row: dict[str, Any] | None) -> StoredSet:
        share = self._shares[search]
        if row is None or row["status"] != FOUND:
            return StoredSet(search, share, None, missing=NO_SET)
        top, left, bottom, right = row["view"]
        proven = json.loads(row["certificate"]) if isinstance(row["certificate"], str) else None
        mask = unpack_mask(row["mask"], int(row["height"]), int(row["width"]))
        tile = int(proven["granularity"]) if proven else None
        floor = None if pd.isna(row["top"]) else share * float(row["target_confidence"])
        return StoredSet(search, share, mask, int(row["target"]), (top, left, bottom, right), tile, floor)


def _floors(first: StoredSet, row: dict[str, Any]) -> Iterator[StoredSet]:
    floors, masks = json.loads(row["floors"]), row["floor_masks"]
    if masks is None or len(masks) != len(floors):  # records from before their masks were kept
        return
    for at, mask in zip(floors, masks, strict=True):
        share = float(at["share"])
        if mask is None or pd.isna(at["pixels"]):
            yield StoredSet(first.search, share, None, missing=NO_SET_AT_FLOOR)
        else:
            kept = unpack_mask(mask, int(row["height"]), int(row["width"]))
            floor = None if first.floor is None else float(at["floor"])
            yield replace(first, share=share, mask=kept, floor=floor)
