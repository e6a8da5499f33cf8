"""The record store: what was found about each (model, fingerprint, image), in Parquet shards, masks bit-packed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mps_study.common.searches import OWN
from mps_study.compute.parts import Part
from mps_study.datasets.records.columns import SMALL_COLUMNS
from mps_study.datasets.records.shards import POSITION_DIGITS, ShardFolder, ShardReader
from mps_study.mps.types import AtFloor, Curves, Mps, MpsRecord


@dataclass(frozen=True)
class RecordShard:
    """Some finished records of one model, in the order of the manifest.

    Args:
        model: the roster's name.
        fingerprint: digest of everything that can change a record.
        facts: what the fingerprint was made of, kept once beside the shards.
        position: of the first record in the manifest; names the file.
        records: none in a shard that only closes its model, or that only comes with the note of a failure.
        views: image -> the part of the source image that the model saw.
        rate: evaluations a second since the search of this model began; not stored.
        complete: whether the model now has all its records.
        search: the name by which the study knows the search; not stored: records belong to every search of these facts.
        made_with: device and versions that the records come from; provenance, not part of the fingerprint.
        part: of the images, where other processes add records of other parts at the same time; not stored.
        costs: image -> evaluations and gradients that the map took by which its pixels are ranked, if one was made.
    """

    model: str
    fingerprint: str
    facts: dict[str, Any]
    position: int
    records: list[MpsRecord]
    views: dict[str, tuple[float, float, float, float]]
    rate: float = 0.0
    complete: bool = False
    search: str = OWN
    made_with: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None
    costs: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class RecordStore(ShardReader):
    """Reads the store of records."""

    small_columns = SMALL_COLUMNS

    def made_with(self, model: str, fingerprint: str) -> Counter[str]:
        """What the model's records were made with, as JSON -> how many of them; `{}` where a record does not say."""
        return Counter(self.read(model, fingerprint, ["made_with"])["made_with"])


def unpack_mask(packed: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) bool from the store's `mask` column."""
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=height * width)
    return bits.view(np.bool_).reshape(height, width)


def unpack_landscape(packed: bytes, height: int, width: int) -> NDArray[np.float32]:
    """(height, width) float32 from the store's `landscape` column: float32, or float16 in records of an old store."""
    kind = np.float32 if len(packed) == 4 * height * width else np.float16
    return np.frombuffer(packed, dtype=kind).astype(np.float32).reshape(height, width)


class MpsRecords(ShardFolder[RecordShard, RecordStore]):
    """The store of records."""

    def rows(self, shard: RecordShard) -> list[dict[str, Any]]:
        """A row a record."""
        return [_row(record, shard) for record in shard.records]

    def is_mine(self, file: str, shard: RecordShard) -> bool:
        """Of a part its own files alone: others may be writing theirs now."""
        return shard.part is None or _is_of(file, shard.part)

    def load(self) -> RecordStore:
        """A reader of the store, which may be empty."""
        return RecordStore(self._folder)


def _is_of(file: str, part: Part) -> bool:
    """Whether a shard's file, finished or not, can only be written by whoever holds the part."""
    position = file[:POSITION_DIGITS]
    return position.isdigit() and part.has(int(position))


def _row(record: MpsRecord, shard: RecordShard) -> dict[str, Any]:
    mask, landscape = record.mask, record.landscape
    map_evaluations, map_gradients = shard.costs.get(record.key, (0, 0))
    shape = next((each.shape for each in (mask, landscape) if each is not None), (None, None))
    return {
        "image": record.key,
        "model": shard.model,
        "fingerprint": shard.fingerprint,
        "status": record.status,
        "reason": record.reason,
        "target": record.target.label,
        "target_confidence": record.target.confidence,
        "height": shape[0],
        "width": shape[1],
        "pixels": record.pixels,
        "confidence": record.confidence,
        "calls": record.calls,
        "evaluations": record.evaluations,
        "view": list(shard.views.get(record.key, ())),
        "certificate": json.dumps(asdict(record.certificate)) if record.certificate else None,
        "contrast": record.contrast,
        "dilation_survives": record.dilation_survives,
        "floors": json.dumps([_at_floor(at) for at in record.floors]),
        "further": json.dumps([_facts(mps) for mps in record.further]),
        "insertion_area": record.curves.insertion_area if record.curves else None,
        "deletion_area": record.curves.deletion_area if record.curves else None,
        "mask": None if mask is None else np.packbits(mask).tobytes(),
        "landscape": None if landscape is None else landscape.astype(np.float32, copy=False).tobytes(),
        "floor_masks": [None if at.mps is None else np.packbits(at.mps.mask).tobytes() for at in record.floors],
        "further_masks": [np.packbits(mps.mask).tobytes() for mps in record.further],
        "curves": json.dumps(_curves(record.curves)) if record.curves else None,
        "top": record.top,
        "soft": json.dumps(asdict(record.soft)) if record.soft else None,
        "anytime": json.dumps(asdict(record.anytime)) if record.anytime else None,
        "made_with": json.dumps(dict(shard.made_with), sort_keys=True),
        "map_evaluations": map_evaluations,
        "map_gradients": map_gradients,
    }


def _at_floor(at: AtFloor) -> dict[str, Any]:
    """A set at a floor without its mask; `asked` stands there only where the budget was spent before."""
    return {"share": at.share, "floor": at.floor} | _facts(at.mps) | ({} if at.asked else {"asked": False})


def _facts(mps: Mps | None) -> dict[str, Any]:
    """A set without its mask; nulls where there is none."""
    if mps is None:
        return {"pixels": None, "confidence": None}
    certificate = {"certificate": asdict(mps.certificate)} if mps.certificate else {}
    contrast = {} if mps.contrast is None else {"contrast": mps.contrast}
    return {"pixels": mps.pixels, "confidence": mps.confidence} | certificate | contrast


def _curves(curves: Curves) -> dict[str, list[float]]:
    return {name: getattr(curves, name).tolist() for name in ("shares", "insertion", "deletion")}
