"""The record store: what was found about each (model, fingerprint, image), in Parquet shards.

`<folder>/<model>/<fingerprint>/<first image's position>.parquet`, masks bit-packed, and `complete.json` once the
model has all its records. A shard is whole or absent. Fingerprints are never mixed in one table.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview
from numpy.typing import NDArray
from pyarrow.parquet import read_metadata

from mps_study.datasets.files import sweep, write_bytes, written_atomically
from mps_study.datasets.previews import table_preview
from mps_study.mps.types import AtFloor, Curves, Mps, MpsRecord

COMPLETE = "complete.json"


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
        made_with: device and versions that the records come from; provenance, not part of the fingerprint.
    """

    model: str
    fingerprint: str
    facts: dict[str, Any]
    position: int
    records: list[MpsRecord]
    views: dict[str, tuple[float, float, float, float]]
    rate: float = 0.0
    complete: bool = False
    made_with: Mapping[str, str] = field(default_factory=dict)


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
        columns = [pd.read_parquet(shard, columns=["image"])["image"] for shard in shards]
        return set(pd.concat(columns)) if columns else set()

    def read(self, model: str, fingerprint: str, masks: bool = False) -> pd.DataFrame:
        """Records of one model, one row an image, without the bulky columns unless asked for."""
        columns = None if masks else SMALL_COLUMNS
        frames = [read_shard(s, columns) for s in self._shards(model, fingerprint)]
        if not frames:
            return pd.DataFrame(columns=columns or [*SMALL_COLUMNS, *BULKY_COLUMNS])
        frame = pd.concat(frames, ignore_index=True)
        return frame.drop_duplicates("image", keep="first", ignore_index=True)

    def made_with(self, model: str, fingerprint: str) -> Counter[str]:
        """What the model's records were made with, as JSON -> how many of them; `{}` where a record does not say."""
        frames = [read_shard(shard, ["image", "made_with"]) for shard in self._shards(model, fingerprint)]
        made = {image: how for frame in frames[::-1] for image, how in frame.itertuples(index=False, name=None)}
        return Counter(made.values())

    def by_image(self, fingerprints: Mapping[str, str]) -> RecordsByImage:
        """Records one at a time, for a walk over images; model -> fingerprint."""
        return RecordsByImage({model: self._shards(model, mark) for model, mark in fingerprints.items()})

    def _shards(self, model: str, fingerprint: str) -> list[Path]:
        return sorted((self.folder / model / fingerprint).glob("*.parquet"))


class RecordsByImage:
    """Single records with their bulky columns; in memory lie two shards a model, however large the study is."""

    def __init__(self, shards: Mapping[str, Sequence[Path]]) -> None:
        self._shards = shards
        self._read = lru_cache(maxsize=2 * len(shards))(_rows)

    def record(self, image: str, model: str) -> dict[str, Any] | None:
        """The row of one image and model; None when the model has no record of it."""
        shard = self._shard_of.get((image, model))
        return None if shard is None else self._read(shard)[image]

    @cached_property
    def _shard_of(self) -> dict[tuple[str, str], Path]:
        found: dict[tuple[str, str], Path] = {}
        for model, shards in self._shards.items():
            for shard in shards:
                for image in pd.read_parquet(shard, columns=["image"])["image"]:
                    found.setdefault((str(image), model), shard)
        return found


def _rows(shard: Path) -> dict[str, dict[str, Any]]:
    frame = read_shard(shard).drop_duplicates("image", keep="first")
    return {str(row["image"]): {str(name): value for name, value in row.items()} for row in frame.to_dict("records")}


def read_shard(shard: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """These columns of a shard, or all; those that came after it was written, as `LATER` says."""
    metadata = read_metadata(shard)
    there = set(metadata.schema.to_arrow_schema().names)
    frame = pd.read_parquet(shard, columns=[c for c in columns if c in there or c not in LATER] if columns else None)
    for name, absent in LATER.items():
        if name not in there and (columns is None or name in columns):
            frame[name] = pd.Series([absent] * metadata.num_rows, index=frame.index, dtype=object)
    return frame if columns is None else frame[columns]


SMALL_COLUMNS = [
    "image",
    "model",
    "fingerprint",
    "status",
    "reason",
    "target",
    "target_confidence",
    "height",
    "width",
    "pixels",
    "confidence",
    "calls",
    "evaluations",
    "view",
    "certificate",
    "contrast",
    "dilation_survives",
    "floors",
    "further",
    "insertion_area",
    "deletion_area",
]
"""What is read unless more is asked for; `floors` and `further` are JSON, a list of sets without their masks."""

BULKY_COLUMNS = ["mask", "landscape", "floor_masks", "further_masks", "curves"]

LATER: dict[str, Any] = {
    "certificate": None,
    "contrast": None,
    "dilation_survives": None,
    "floors": "[]",
    "further": "[]",
    "insertion_area": None,
    "deletion_area": None,
    "floor_masks": None,
    "further_masks": [],
    "curves": None,
    "made_with": "{}",
}
"""Columns that came after the first version of the store -> what a shard means that does not have them. A new column
stands here, so that no stored record becomes unreadable; the others are in every shard."""


def unpack_mask(packed: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """(height, width) bool from the store's `mask` column."""
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=height * width)
    return bits.astype(bool).reshape(height, width)


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
        """Write a shard; sweep away what a killed run left half-written in this model's folder.

        A shard without records that does not complete its model is not written.
        """
        if not data.records and not data.complete:
            return
        folder = self._folder / data.model / data.fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, "*")
        facts = folder / "fingerprint.json"
        if not facts.exists():
            write_bytes(facts, _json(data.facts))
        if data.records:
            frame = pd.DataFrame([_row(record, data) for record in data.records])
            with written_atomically(folder / f"{data.position:07d}.parquet") as path:
                frame.to_parquet(path, compression="zstd", index=False)
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
