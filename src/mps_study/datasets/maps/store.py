"""The store of saliency maps: of each (model, fingerprint, image) what a method made, in Parquet shards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mps_study.datasets.records.shards import ShardFolder, ShardReader

MADE, NONE, FAILED = "made", "none", "failed"
"""Status of a map: there is one; the method found none, and why; the image could not be read."""

COLUMNS = ("image", "model", "fingerprint", "status", "reason", "target", "evaluations", "gradients")
_READ = ("height", "width", "map")


@dataclass(frozen=True)
class MapRecord:
    """What one method made of one image.

    Args:
        key: the image's id.
        status: `made`, `none` or `failed`; `reason` says more.
        target: index of the class that it explains; -1 where there is none.
        map: (h, w) float32, the larger, the sooner a pixel is kept; None without a map.
        evaluations: answers that were asked for without a gradient, the one that told the class included.
        gradients: answers that were asked for with one.
    """

    key: str
    status: str
    reason: str = ""
    target: int = -1
    map: NDArray[np.float32] | None = None
    evaluations: int = 0
    gradients: int = 0


@dataclass(frozen=True)
class MapShard:
    """Some maps of one model, in the order of the manifest; the fields are those of `RecordShard`."""

    model: str
    fingerprint: str
    facts: dict[str, Any]
    position: int
    records: list[MapRecord]
    complete: bool = False
    made_with: Mapping[str, str] = field(default_factory=dict)


class MapStore(ShardReader):
    """Reads the store of maps."""

    small_columns = COLUMNS

    def maps(self, model: str, fingerprint: str) -> StoredMaps:
        """The maps of one model, by image."""
        return StoredMaps(self, model, fingerprint)

    def costs(self, model: str, fingerprint: str) -> dict[str, tuple[int, int]]:
        """Image -> evaluations and gradients that its map took."""
        frame = self.read(model, fingerprint, ["image", "evaluations", "gradients"])
        rows = frame.itertuples(index=False, name=None)
        return {str(image): (int(evaluations), int(gradients)) for image, evaluations, gradients in rows}

    def missing(self, model: str, fingerprint: str) -> dict[str, str]:
        """Image with a class, of which no map was made -> why. Of others the search finds out by itself."""
        frame = self.read(model, fingerprint, ["image", "status", "reason", "target"])
        rows = frame[(frame["status"] == NONE) & (frame["target"] >= 0)]
        return {str(image): str(reason) for image, reason in zip(rows["image"], rows["reason"], strict=True)}

    def made(self, model: str, fingerprint: str) -> set[str]:
        """Images that have a map."""
        frame = self.read(model, fingerprint, ["image", "status"])
        return set(frame.loc[frame["status"] == MADE, "image"].astype(str))


class StoredMaps(Mapping[str, NDArray[np.float32]]):
    """Image -> map (h, w) of one model, read when it is asked for."""

    def __init__(self, store: MapStore, model: str, fingerprint: str) -> None:
        self._rows, self._model = store.by_image({model: fingerprint}), model
        self._images = sorted(store.made(model, fingerprint))

    def __getitem__(self, image: str) -> NDArray[np.float32]:
        row = self._rows.record(image, self._model, _READ)
        if row is None or row["map"] is None:
            raise KeyError(image)
        return np.frombuffer(row["map"], dtype=np.float32).reshape(int(row["height"]), int(row["width"]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)


class SaliencyMaps(ShardFolder[MapShard, MapStore]):
    """The store of saliency maps."""

    def rows(self, shard: MapShard) -> list[dict[str, Any]]:
        """A row a map."""
        return [_row(record, shard) for record in shard.records]

    def load(self) -> MapStore:
        """A reader of the store, which may be empty."""
        return MapStore(self._folder)


def _row(record: MapRecord, shard: MapShard) -> dict[str, Any]:
    shape = (None, None) if record.map is None else record.map.shape
    return {
        "image": record.key,
        "model": shard.model,
        "fingerprint": shard.fingerprint,
        "status": record.status,
        "reason": record.reason,
        "target": record.target,
        "evaluations": record.evaluations,
        "gradients": record.gradients,
        "height": shape[0],
        "width": shape[1],
        "map": None if record.map is None else record.map.astype(np.float32, copy=False).tobytes(),
        "made_with": json.dumps(dict(shard.made_with), sort_keys=True),
    }
