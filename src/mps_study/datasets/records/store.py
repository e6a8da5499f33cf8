"""The record store: what was found about each (model, fingerprint, image), in Parquet shards.

`<folder>/<model>/<fingerprint>/<first image's position>.parquet`, masks bit-packed, and `complete.json` once the
model has all its records. A shard is whole or absent. Fingerprints are never mixed in one table.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview
from numpy.typing import NDArray
from pyarrow import parquet

from mps_study.common.searches import OWN
from mps_study.compute.parts import Part
from mps_study.datasets.files import sweep, write_bytes, written_atomically
from mps_study.datasets.previews import table_preview
from mps_study.datasets.records.by_image import RecordsByImage
from mps_study.datasets.records.columns import SMALL_COLUMNS, read_columns
from mps_study.mps.types import AtFloor, Curves, Mps, MpsRecord

COMPLETE = "complete.json"
POSITION_DIGITS = 7
"""Of a shard's name: the position of its first image in the manifest."""

TOGETHER = 8
"""Records of a shard that are read together, however many it has."""


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


class RecordStore:
    """Reads the store. Nothing is held in memory but what is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_complete(self, model: str, fingerprint: str) -> bool:
        """Whether the model has all its records."""
        return (self.folder / model / fingerprint / COMPLETE).is_file()

    def images(self, model: str, fingerprint: str) -> set[str]:
        """Images that have a record."""
        shards = self._shards(model, fingerprint)
        return {image for shard in shards for image in parquet.ParquetFile(shard).read(["image"])["image"].to_pylist()}

    def read(self, model: str, fingerprint: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Records of one model, one row an image: these columns, `SMALL_COLUMNS` unless others are named.

        Bulky ones of a whole study do not fit into memory; `by_image` reads them.
        """
        wanted = list(SMALL_COLUMNS if columns is None else columns)
        shards = self._shards(model, fingerprint)
        if not shards:
            return pd.DataFrame(columns=wanted)
        tables = [read_columns(parquet.ParquetFile(shard), list({"image", *wanted})) for shard in shards]
        plain = [table.replace_schema_metadata(None) for table in tables]  # a column without a value has no type
        frame: pd.DataFrame = pa.concat_tables(plain, promote_options="permissive").to_pandas()
        return frame.drop_duplicates("image", keep="first", ignore_index=True)[wanted]

    def made_with(self, model: str, fingerprint: str) -> Counter[str]:
        """What the model's records were made with, as JSON -> how many of them; `{}` where a record does not say."""
        return Counter(self.read(model, fingerprint, ["made_with"])["made_with"])

    def by_image(self, fingerprints: Mapping[str, str]) -> RecordsByImage:
        """Records one at a time, bulky columns too, for a walk over images; model -> fingerprint."""
        return RecordsByImage({model: self._shards(model, mark) for model, mark in fingerprints.items()})

    def _shards(self, model: str, fingerprint: str) -> list[Path]:
        return sorted((self.folder / model / fingerprint).glob("*.parquet"))


def unpack_mask(packed: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) bool from the store's `mask` column."""
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=height * width)
    return bits.view(np.bool_).reshape(height, width)


def unpack_landscape(packed: bytes, height: int, width: int) -> NDArray[np.float32]:
    """(height, width) float32 from the store's `landscape` column: float32, or float16 in records of an old store."""
    kind = np.float32 if len(packed) == 4 * height * width else np.float16
    return np.frombuffer(packed, dtype=kind).astype(np.float32).reshape(height, width)


class MpsRecords(AbstractDataset[RecordShard, RecordStore]):
    """Saves one shard at a time; loads a `RecordStore`."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: RecordShard) -> None:
        """Write a shard; sweep away what a killed run left half-written of these images, or of all of the model's.

        A shard without records that does not complete its model is not written.
        """
        if not data.records and not data.complete:
            return
        folder = self._folder / data.model / data.fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, "*", lambda path: data.part is None or _is_of(path.name, data.part))
        facts = folder / "fingerprint.json"
        if not facts.exists():
            write_bytes(facts, _json(data.facts))
        if data.records:
            frame = pd.DataFrame([_row(record, data) for record in data.records])
            with written_atomically(folder / f"{data.position:0{POSITION_DIGITS}d}.parquet") as path:
                frame.to_parquet(path, compression="zstd", index=False, row_group_size=TOGETHER)
        if data.complete and not (folder / COMPLETE).exists():
            write_bytes(folder / COMPLETE, _json({"fingerprint": data.fingerprint}))

    def load(self) -> RecordStore:
        """A reader of the store, which may be empty."""
        return RecordStore(self._folder)

    def preview(self) -> TablePreview:
        """Each set of records: model, fingerprint, how many, whether they are all; for Kedro-Viz."""
        store = self.load()
        rows = [
            {
                "model": folder.parent.name,
                "fingerprint": folder.name,
                "images": len(store.images(folder.parent.name, folder.name)),
                "complete": store.is_complete(folder.parent.name, folder.name),
            }
            for folder in sorted(self._folder.glob("*/*"))
            if folder.is_dir()
        ]
        return table_preview(pd.DataFrame(rows))

    def _exists(self) -> bool:
        return any(self._folder.glob(f"*/*/{COMPLETE}"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _is_of(file: str, part: Part) -> bool:
    """Whether a shard's file, finished or not, can only be written by whoever holds the part."""
    position = file[:POSITION_DIGITS]
    return position.isdigit() and part.has(int(position))


def _row(record: MpsRecord, shard: RecordShard) -> dict[str, Any]:
    mask, landscape = record.mask, record.landscape
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


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
