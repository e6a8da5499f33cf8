"""The records of one model and search, as they come in, packed into shards."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from mps_study.compute.jobs import Found, Work
from mps_study.compute.opening import with_measurements
from mps_study.compute.parts import Part
from mps_study.datasets.failures import Failures
from mps_study.datasets.records.store import RecordShard
from mps_study.models.export.card import ModelCard
from mps_study.mps.types import FAILED, MpsRecord
from mps_study.pipelines.fingerprint import Fingerprint

log = logging.getLogger(__name__)

SHARD_SECONDS = 60
"""A shard is written after this time even if it is not full: what a killed run loses, beside the images in flight."""

Step = tuple[RecordShard, dict[str, ModelCard], Failures]
"""What is saved together: records, cards that now say more, failures."""


@dataclass
class ModelSearch:
    """One model and search under way.

    Args:
        work: what is to be done of it.
        search: its name in the study.
        mark: fingerprint of its records.
        manifest: all images; shards are in its order.
        done: how many of the images asked for have their records already.
        part: of the images, if only that is asked for.
        shard_size: records in a shard.
        costs: image -> evaluations and gradients that its map took, where one was made.
    """

    work: Work
    search: str
    mark: Fingerprint
    manifest: pd.DataFrame
    done: int
    part: Part | None
    shard_size: int
    costs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    evaluations: int = 0
    rows: int = 0
    found: int = 0
    failed: int = 0
    began: float | None = None
    shard_began: float = 0.0
    waiting: dict[str, list[MpsRecord]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.card = self.work.job.card
        self._measured = self.card
        self._position = {image: i for i, image in enumerate(self.manifest["image"])}
        sizes = self.manifest[["image", "width", "height"]].itertuples(index=False, name=None)
        self._sizes = {image: (int(width), int(height)) for image, width, height in sizes}
        self._made: dict[str, Mapping[str, str]] = {}

    def add(self, found: Found, worked: float, now: float) -> None:
        """Take in what a runner found; `worked`: seconds of its time before it went on to find this."""
        self.began = worked if self.began is None else self.began
        if found.records:
            self.shard_began = self.shard_began if self.waiting else now
            kind = repr(sorted(found.made_with.items()))  # a shard says of all its records what they were made with
            self._made[kind] = found.made_with
            self.waiting.setdefault(kind, []).extend(found.records)
        self.card = with_measurements(self.card, found.measured)
        self.evaluations += sum(record.evaluations for record in found.records)
        failed = sum(record.status == FAILED for record in found.records)
        self.found, self.failed = self.found + len(found.records) - failed, self.failed + failed
        self.rows += found.rows

    def full(self, now: float) -> bool:
        """Whether a shard should be written: there are enough records, or the first has waited long enough."""
        waiting = [len(records) for records in self.waiting.values()]
        return bool(waiting) and (max(waiting) >= self.shard_size or now - self.shard_began > SHARD_SECONDS)

    def shards(self, worked: float) -> Iterator[Step]:
        """All that waits, and the card where it says more than before; `worked`: seconds of the runner so far."""
        rate, waiting, self.waiting = self.rate(worked), self.waiting, {}
        for kind, records in waiting.items():
            yield self._shard(records, rate, self._made[kind]), self._learnt(), {}

    def rate(self, worked: float) -> float:
        """Evaluations a second since the search began; the time of whoever saves does not count."""
        return self.evaluations / max(worked - (self.began or 0.0), 1e-9)

    def complete(self) -> Step:
        """The step that says that the model now has all its records."""
        return self._shard([], 0.0, {}, complete=True), self._learnt(), {}

    def _learnt(self) -> dict[str, ModelCard]:
        """The card, if it says more than when it was last asked for."""
        if self.card == self._measured:
            return {}
        self._measured = self.card
        return {self.card.name: self.card}

    def summary(self, worked: float) -> None:
        """A line of log."""
        if not self.work.images:
            log.info("%s: all %d records are there (%s)", self.work.job.name, self.done, self.mark.digest)
            return
        again = 100 * (self.rows - self.evaluations) / max(1, self.rows)
        log.info(
            "%s: %d images searched, %d failed, %.0f evaluations/s, %.1f %% of all answers asked again alone",
            *(self.work.job.name, self.found + self.failed, self.failed, self.rate(worked), again),
        )

    def _shard(
        self, records: list[MpsRecord], rate: float, made: Mapping[str, str], complete: bool = False
    ) -> RecordShard:
        records = sorted(records, key=lambda record: self._position[record.key])
        return RecordShard(
            self.card.name,
            self.mark.digest,
            self.mark.facts,
            self._position[records[0].key] if records else len(self._position),
            records,
            {record.key: self._view(record.key) for record in records},
            rate,
            complete,
            self.search,
            made,
            self.part,
            {record.key: self.costs[record.key] for record in records if record.key in self.costs},
        )

    def _view(self, image: str) -> tuple[float, float, float, float]:
        return self.card.preprocessing.view(*self._sizes[image])
