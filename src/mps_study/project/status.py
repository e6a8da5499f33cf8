"""How far a study is: each model and search, from what its store and its claims say and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mps_study.common.searches import unit_name
from mps_study.datasets.records.counted import Shard
from mps_study.project.holders import Holder

STAGE = "mps_extraction"

State = Literal["done", "running", "held", "failed", "killed", "begun", "waiting", "not exported"]
"""`held`: by a process of another machine, of which nobody here knows whether it lives. `killed`: a process held it
and is gone. `begun`: some records, and nobody at it. `waiting`: nothing yet."""


@dataclass(frozen=True)
class Progress:
    """One model and search.

    Args:
        images: of the sample; `done` have a record, of which `failed` say that the image could not be searched.
        rate: evaluations a second since the claim that is held now; None before its first shard.
        seconds_left: at the speed since then; None where nobody is at it, or nothing is known yet.
        holders: who holds it, or held it.
        reason: why it failed; empty if it did not.
    """

    model: str
    search: str
    images: int
    done: int
    failed: int
    state: State
    rate: float | None = None
    seconds_left: float | None = None
    holders: tuple[Holder, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Status:
    """A study's units in the order of conf, and who holds what else of it."""

    units: list[Progress]
    others: list[Holder]

    @property
    def is_done(self) -> bool:
        """Whether every unit has all its records."""
        return all(unit.state == "done" for unit in self.units)

    @property
    def states(self) -> Counter[str]:
        """State -> units in it."""
        return Counter(unit.state for unit in self.units)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them; seconds, evaluations a second."""
        total = {"images": sum(unit.images for unit in self.units), "done": sum(unit.done for unit in self.units)}
        return asdict(self) | {"total": total | {"states": dict(self.states)}}


def progress(
    model: str,
    search: str,
    images: int,
    exported: bool,
    shards: Sequence[Shard],
    holders: Sequence[Holder],
    reason: str | None,
) -> Progress:
    """Of one unit, from its shards, the holders of its claim or of its parts', and its failure's note."""
    done = len({image for shard in shards for image in shard.images})
    failed = sum(shard.failed for shard in shards)
    state = _state(done >= images > 0, bool(done), exported, [each.alive for each in holders], reason)
    rate = left = None
    at_it = [each for each in holders if each.alive is not False]
    if state in ("running", "held") and at_it:
        began = min(each.claimed for each in at_it)
        mine = [shard for shard in shards if shard.written > began]
        if mine:
            seconds = max(shard.written for shard in mine) - began
            rate = sum(sum(shard.evaluations) for shard in mine) / seconds
            left = (images - done) * seconds / sum(len(shard.images) for shard in mine)
    return Progress(model, search, images, done, failed, state, rate, left, tuple(holders), reason or "")


def _state(whole: bool, some: bool, exported: bool, alive: Sequence[bool | None], reason: str | None) -> State:
    if True in alive:
        return "running"
    if None in alive:
        return "held"
    if reason:
        return "failed"
    if whole:
        return "done"
    if alive:
        return "killed"
    if some:
        return "begun"
    return "waiting" if exported else "not exported"


Name = tuple[str, str]
"""Of a unit: model and search."""


def unit_of(work: str, units: Iterable[Name]) -> Name | None:
    """The unit that a claim or a failure's note is of, as a whole or in a part such as `resnet, study, 3 of 16`."""
    for model, search in units:
        if work == unit_name(model, search) or re.fullmatch(re.escape(f"{model}, {search}, ") + r"\d+ of \d+", work):
            return model, search
    return None


def shared_out(holders: Iterable[Holder], units: Sequence[Name]) -> dict[Name | None, list[Holder]]:
    """Unit -> the holders of it or of parts of it; None -> those of anything else."""
    found: dict[Name | None, list[Holder]] = {}
    for holder in holders:
        stage, _, work = holder.name.partition("/")
        found.setdefault(unit_of(work, units) if stage == STAGE else None, []).append(holder)
    return found
