"""The plan of a study: what is left to do, what it will cost, and when so many workers will have done it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from mps_study.common.searches import unit_name
from mps_study.compute.units import Load, cut
from mps_study.project.expected import RECORDS, UNKNOWN, Figure, exactly

SUM = "sum"
"""Where a total comes from."""


@dataclass(frozen=True)
class PlannedUnit:
    """One model and search.

    Args:
        images: of the sample; `done` of them have a record.
        evaluations: of an image.
        rate: evaluations a second of a search on this machine, with all its cores, or its GPU.
        record_bytes: of an image's record.
        model_bytes: of the exported model.
        memory_bytes: of a process that searches it.
        maps: images whose map is still to be made before they are searched; what that costs is in no figure.
    """

    model: str
    search: str
    images: int
    done: int
    evaluations: Figure
    rate: Figure
    record_bytes: Figure
    model_bytes: Figure
    memory_bytes: Figure
    maps: int = 0

    @property
    def left(self) -> int:
        """Images that have no record yet."""
        return self.images - self.done

    @cached_property
    def seconds(self) -> Figure:
        """Of one image on this machine."""
        for figure in (self.rate, self.evaluations):
            if not figure.value:
                return Figure(None, None, None, UNKNOWN, figure.note)
        assert self.rate.value
        origins = dict.fromkeys((self.evaluations.origin, self.rate.origin))
        spread = self.evaluations.times(1 / self.rate.value)
        return Figure(spread.value, spread.low, spread.high, " x ".join(origins))

    @property
    def hours(self) -> Figure:
        """Of what is left, on this machine."""
        return self.seconds.times(self.left / 3600) if self.left else exactly(0.0, RECORDS)


@dataclass(frozen=True)
class Makespan:
    """When so many workers, each like this machine, are done: `hours`; no schedule can beat `bound`."""

    workers: int
    hours: float
    bound: float


@dataclass(frozen=True)
class Plan:
    """What is left of a study, the dearest first; what is unknown stands at the end.

    Args:
        units: each model and search.
        makespans: of what is known, by number of workers.
    """

    units: list[PlannedUnit]
    makespans: list[Makespan]

    @property
    def unknown(self) -> list[PlannedUnit]:
        """Those of which something is left, and nobody knows how long it takes."""
        return [unit for unit in self.units if unit.hours.value is None]

    @property
    def hours(self) -> Figure:
        """Of all that is known, on this machine, one after the other."""
        return _sum(unit.hours for unit in self.units)

    @property
    def evaluations(self) -> Figure:
        """Of all that is left."""
        return _sum(unit.evaluations.times(unit.left) for unit in self.units)

    @property
    def record_bytes(self) -> Figure:
        """Of all records to come."""
        return _sum(unit.record_bytes.times(unit.left) for unit in self.units)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON has them; hours, bytes, evaluations a second."""
        units = [asdict(unit) | {"left": unit.left, "hours": asdict(unit.hours)} for unit in self.units]
        total = {
            "images": sum(unit.images for unit in self.units),
            "left": sum(unit.left for unit in self.units),
            "evaluations": asdict(self.evaluations),
            "hours": asdict(self.hours),
            "record_bytes": asdict(self.record_bytes),
            "unknown": [unit_name(unit.model, unit.search) for unit in self.unknown],
        }
        return {"units": units, "total": total, "makespans": [asdict(each) for each in self.makespans]}


def plan_of(units: Iterable[PlannedUnit], workers: Iterable[int] = ()) -> Plan:
    """The plan of these units, with a schedule of what is known for each number of workers."""
    ordered = sorted(units, key=lambda unit: (unit.hours.value is None, -(unit.hours.value or 0.0)))
    loads = [
        Load(unit_name(unit.model, unit.search), unit.left, unit.seconds.value)
        for unit in ordered
        if unit.left and unit.seconds.value
    ]
    return Plan(ordered, [makespan(loads, number) for number in sorted(set(workers)) if loads])


def _sum(figures: Iterable[Figure]) -> Figure:
    """Of those that are known; unknown if none is."""
    every = list(figures)
    known = [each for each in every if each.value is not None]
    missing = len(every) - len(known)
    if not known:
        return Figure(None, None, None, UNKNOWN, f"all {missing} are unknown")
    low, value, high = (sum(_end(each, end) for each in known) for end in ("low", "value", "high"))
    return Figure(value, low, high, SUM, f"without {missing} unknown" if missing else "")


def _end(figure: Figure, end: str) -> float:
    """An end of a range that is open is the value."""
    found = getattr(figure, end)
    return float(figure.value or 0.0) if found is None else float(found)


def makespan(loads: Sequence[Load], workers: int) -> Makespan:
    """Simulate the schedule of a run: its own units, in its own order, the next one to whoever is free first.

    The bound is the mean work of a worker, or the longest image where that is longer: an image is never divided. What
    is not simulated: opening a model (once a worker and model), sending units, workers that are lost.
    """
    free = [0.0] * workers
    for unit in cut(loads, workers):
        heapq.heapreplace(free, free[0] + unit.seconds)
    longest = max((load.seconds for load in loads if load.images), default=0.0)
    bound = max(sum(load.images * load.seconds for load in loads) / workers, longest)
    return Makespan(workers, max(free) / 3600, bound / 3600)
