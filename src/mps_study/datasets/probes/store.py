"""The store of probes: of each (asked model, fingerprint, image) what the model said of known sets, in Parquet shards.

A fingerprint stands for one model asked about the sets of one model, itself or another. Rows of one image are kept as
JSON in one row, so that an image is done or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.datasets.records.shards import ShardFolder, ShardReader

COLUMNS = ("image", "model", "fingerprint", "label", "confidence", "evaluations", "failed")


@dataclass(frozen=True)
class ProbeRecord:
    """What one model said about one image and sets of it.

    Args:
        key: the image's id.
        logits: (classes,) float32 of the whole image; None where the model is asked about another one's sets, or the
            image could not be read (`failed` says why).
        label: the model's class of the whole image, -1 for none; `confidence` of it.
        probes: a mapping a question: its set, condition and answer.
        subsets: a mapping a set whose parts were asked about.
        evaluations: questions, that about the whole image included.
    """

    key: str
    logits: NDArray[np.float32] | None = None
    label: int = -1
    confidence: float = float("nan")
    probes: list[dict[str, Any]] = field(default_factory=list)
    subsets: list[dict[str, Any]] = field(default_factory=list)
    evaluations: int = 0
    failed: str = ""


@dataclass(frozen=True)
class ProbeShard:
    """Some images of one asked model and fingerprint, in the order of the manifest; the fields are `RecordShard`'s."""

    model: str
    fingerprint: str
    facts: dict[str, Any]
    position: int
    records: list[ProbeRecord]
    complete: bool = False
    made_with: Mapping[str, str] = field(default_factory=dict)


class ProbeStore(ShardReader):
    """Reads the store of probes."""

    small_columns = COLUMNS

    def rows(self, model: str, fingerprint: str, column: str) -> Iterator[dict[str, Any]]:
        """The mappings of `probes` or `subsets`, each with its `image`."""
        frame = self.read(model, fingerprint, ["image", column])
        for image, told in zip(frame["image"], frame[column], strict=True):
            yield from ({"image": str(image)} | each for each in json.loads(told))

    def answers(self, model: str, fingerprint: str) -> pd.DataFrame:
        """One row an image that was read: `image`, `label`, `confidence`, `logits` (a list of float32)."""
        frame = self.read(model, fingerprint, ["image", "label", "confidence", "logits", "failed"])
        frame = frame[frame["logits"].notna()]
        logits = frame["logits"].map(lambda stored: np.frombuffer(stored, np.float32))
        return frame[["image", "label", "confidence"]].assign(logits=logits)


class Probes(ShardFolder[ProbeShard, ProbeStore]):
    """The store of probes."""

    def rows(self, shard: ProbeShard) -> list[dict[str, Any]]:
        """A row an image."""
        return [_row(record, shard) for record in shard.records]

    def load(self) -> ProbeStore:
        """A reader of the store, which may be empty."""
        return ProbeStore(self._folder)


def _row(record: ProbeRecord, shard: ProbeShard) -> dict[str, Any]:
    return {
        "image": record.key,
        "model": shard.model,
        "fingerprint": shard.fingerprint,
        "label": record.label,
        "confidence": record.confidence,
        "logits": None if record.logits is None else record.logits.astype(np.float32, copy=False).tobytes(),
        "probes": json.dumps(record.probes),
        "subsets": json.dumps(record.subsets),
        "evaluations": record.evaluations,
        "failed": record.failed,
        "made_with": json.dumps(dict(shard.made_with), sort_keys=True),
    }
