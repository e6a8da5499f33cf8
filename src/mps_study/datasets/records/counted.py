"""What lies in a record store, counted by shard: cheap to ask again while a run writes, since shards never change.

Nothing is locked, and what is still being written is not seen: a shard has its name only once it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pyarrow import parquet

from mps_study.mps.types import FAILED

FACTS = "fingerprint.json"


@dataclass(frozen=True)
class Shard:
    """One shard: its `images`, the `evaluations` of those that were searched, how many could not be (`failed`).

    `written`: seconds since the epoch, by the clock of the file system. `size`: bytes.
    """

    images: tuple[str, ...]
    evaluations: tuple[int, ...]
    failed: int
    written: float
    size: int


@dataclass(frozen=True)
class Stored:
    """The records of one model and search: what their fingerprint was made of, and their shards."""

    model: str
    fingerprint: str
    facts: dict[str, Any]
    shards: tuple[Shard, ...]

    @property
    def images(self) -> set[str]:
        """Those that have a record."""
        return {image for shard in self.shards for image in shard.images}

    @property
    def evaluations(self) -> list[int]:
        """Of each image that was searched."""
        return [each for shard in self.shards for each in shard.evaluations]

    @property
    def failed(self) -> int:
        """Images that could not be searched."""
        return sum(shard.failed for shard in self.shards)

    @property
    def size(self) -> int:
        """Bytes of all shards."""
        return sum(shard.size for shard in self.shards)


def stored(store: Path, model: str, fingerprint: str) -> Stored:
    """The records of one fingerprint; without shards if there are none."""
    folder = store / model / fingerprint
    return Stored(model, fingerprint, _facts(folder), tuple(_shards(folder)))


def all_facts(stores: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """(folder, what its fingerprint was made of) of every set of records in these stores; no shard is opened."""
    for store in stores:
        for file in sorted(store.glob(f"*/*/{FACTS}")):
            facts = _facts(file.parent)
            if facts:
                yield file.parent, facts


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
    except (OSError, ValueError):
        return {}
    return facts


def _shards(folder: Path) -> Iterator[Shard]:
    """Each shard of a folder; one that goes while it is looked at is left out."""
    for path in sorted(folder.glob("*.parquet")):
        try:
            about = path.stat()
            yield _shard(path, about.st_mtime, about.st_size)
        except FileNotFoundError:
            continue


@lru_cache(maxsize=100_000)
def _shard(path: Path, written: float, size: int) -> Shard:
    table = parquet.ParquetFile(path).read(["image", "status", "evaluations"]).to_pydict()
    searched = [n for n, status in zip(table["evaluations"], table["status"], strict=True) if status != FAILED]
    return Shard(tuple(table["image"]), tuple(searched), len(table["image"]) - len(searched), written, size)
