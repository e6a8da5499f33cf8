"""Stores of one row an image, by model and fingerprint, in Parquet shards: what they share, whatever a row says.

`<folder>/<model>/<fingerprint>/<first image's position>.parquet`, and `complete.json` once the model has all its rows.
A shard is whole or absent. Fingerprints are never mixed in one table.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import pandas as pd
import pyarrow as pa
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview
from pyarrow import parquet

from mps_study.datasets.files import sweep, write_bytes, written_atomically
from mps_study.datasets.previews import table_preview
from mps_study.datasets.records.by_image import RecordsByImage
from mps_study.datasets.records.columns import read_columns

COMPLETE = "complete.json"
POSITION_DIGITS = 7
"""Of a shard's name: the position of its first image in the manifest."""

TOGETHER = 8
"""Rows of a shard that are read together, however many it has."""


class Shard(Protocol):
    """Some rows of one model, in the order of the manifest; see `RecordShard`."""

    @property
    def model(self) -> str:
        """The roster's name."""

    @property
    def fingerprint(self) -> str:
        """Digest of everything that can change a row."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the fingerprint was made of."""

    @property
    def position(self) -> int:
        """Of the first row in the manifest."""

    @property
    def complete(self) -> bool:
        """Whether the model now has all its rows."""


class ShardReader:
    """Reads a store. Nothing is held in memory but what is asked for."""

    small_columns: ClassVar[Sequence[str]]
    """What is read unless more is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_complete(self, model: str, fingerprint: str) -> bool:
        """Whether the model has all its rows."""
        return (self.folder / model / fingerprint / COMPLETE).is_file()

    def images(self, model: str, fingerprint: str) -> set[str]:
        """Images that have a row."""
        shards = self._shards(model, fingerprint)
        return {image for shard in shards for image in parquet.ParquetFile(shard).read(["image"])["image"].to_pylist()}

    def read(self, model: str, fingerprint: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows of one model, one an image: these columns, `small_columns` unless others are named.

        Bulky ones of a whole study do not fit into memory; `by_image` reads them.
        """
        wanted = list(self.small_columns if columns is None else columns)
        shards = self._shards(model, fingerprint)
        if not shards:
            return pd.DataFrame(columns=wanted)
        tables = [read_columns(parquet.ParquetFile(shard), list({"image", *wanted})) for shard in shards]
        plain = [table.replace_schema_metadata(None) for table in tables]  # a column without a value has no type
        frame: pd.DataFrame = pa.concat_tables(plain, promote_options="permissive").to_pandas()
        return frame.drop_duplicates("image", keep="first", ignore_index=True)[wanted]

    def by_image(self, fingerprints: Mapping[str, str]) -> RecordsByImage:
        """Rows one at a time, bulky columns too, for a walk over images; model -> fingerprint."""
        return RecordsByImage({model: self._shards(model, mark) for model, mark in fingerprints.items()})

    def _shards(self, model: str, fingerprint: str) -> list[Path]:
        return sorted((self.folder / model / fingerprint).glob("*.parquet"))


S = TypeVar("S", bound=Shard)
R = TypeVar("R", bound=ShardReader)


class ShardFolder(AbstractDataset[S, R]):
    """Saves one shard at a time; loads a reader of the store."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    @abstractmethod
    def rows(self, shard: S) -> list[dict[str, Any]]:
        """A shard's rows as they are stored: `image`, `model`, `fingerprint`, and what else they say."""

    def is_mine(self, file: str, shard: S) -> bool:
        """Whether nobody but the writer of the shard can be writing this file of its folder now."""
        return True

    def save(self, data: S) -> None:
        """Write a shard; sweep away what a killed run left half-written in this model's folder.

        A shard without rows that does not complete its model is not written.
        """
        rows = self.rows(data)
        if not rows and not data.complete:
            return
        folder = self._folder / data.model / data.fingerprint
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, "*", lambda path: self.is_mine(path.name, data))
        facts = folder / "fingerprint.json"
        if not facts.exists():
            write_bytes(facts, _json(data.facts))
        if rows:
            with written_atomically(folder / f"{data.position:0{POSITION_DIGITS}d}.parquet") as path:
                pd.DataFrame(rows).to_parquet(path, compression="zstd", index=False, row_group_size=TOGETHER)
        if data.complete and not (folder / COMPLETE).exists():
            write_bytes(folder / COMPLETE, _json({"fingerprint": data.fingerprint}))

    def preview(self) -> TablePreview:
        """Each set of rows: model, fingerprint, how many, whether they are all; for Kedro-Viz."""
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


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
