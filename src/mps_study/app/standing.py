"""`mps-study status`: how far a study is, from its store and its claims alone, while a run goes on anywhere."""

from __future__ import annotations

import json

from mps_study.app.study_units import StudyNow, StudyUnit
from mps_study.app.words import duration, number, table
from mps_study.datasets.maps.wanted import method_of
from mps_study.datasets.records.counted import stored
from mps_study.pipelines.maps import maps_unit
from mps_study.project.holders import Holder, holders
from mps_study.project.status import STAGE, Progress, Status, progress, shared_out, unit_of


def status(now: StudyNow) -> Status:
    """The study as it stands: nothing is locked, opened for writing, or asked of a process."""
    names = [(unit.model, unit.search) for unit in now.units]
    held = shared_out(holders(now.study.folder("claims")), names)
    noted = now.study.dataset("failures").load()
    units = []
    for unit in now.units:
        name = (unit.model, unit.search)
        reasons = [
            reason
            for (stage, work), reason in noted.items()
            if (unit_of(work, names) == name if stage == STAGE else work in (unit.model, _maps_unit(unit)))
        ]
        shards = stored(now.store, unit.model, unit.mark.digest).shards if unit.mark else ()
        exported = unit.card is not None
        units.append(
            progress(*name, now.images, exported, shards, held.get(name, []), "; ".join(filter(None, reasons)))
        )
    return Status(units, held.get(None, []))


def _maps_unit(unit: StudyUnit) -> str:
    """The work that makes the maps of a unit, as it is noted; that of the model where there is none."""
    return maps_unit(unit.model, unit.config, unit.maps) if method_of(unit.config) else unit.model


def told(found: Status) -> list[str]:
    """The status as lines: a table, its total, and who holds what else of the study."""
    header = ["model", "search", "state", "done", "failed", "evaluations/s", "time left", ""]
    done, images = (sum(getattr(unit, name) for unit in found.units) for name in ("done", "images"))
    states = ", ".join(f"{count} {state}" for state, count in found.states.items())
    total = ["total", "", "", f"{done:,} of {images:,}", "", "", "", states]
    lines = table(header, [*(_row(unit) for unit in found.units), total], left=3)
    return lines + [f"{holder.name}: {who(holder)}" for holder in found.others]


def _row(unit: Progress) -> list[str]:
    said = "; ".join(who(holder) for holder in unit.holders) or unit.reason
    return [
        unit.model,
        unit.search,
        unit.state,
        f"{unit.done:,} of {unit.images:,}",
        f"{unit.failed:,}" if unit.failed else "",
        "" if unit.rate is None else number(unit.rate),
        "" if unit.seconds_left is None else duration(unit.seconds_left / 3600),
        said,
    ]


def who(holder: Holder) -> str:
    """Who holds a claim, or held it, in a few words."""
    by = f"process {holder.process} on {holder.host} since {holder.since}"
    if holder.alive is None:
        return f"{by}; on another machine, whether it lives cannot be checked from here"
    return by if holder.alive else f"{by}, which is gone: killed; the next run goes on"


def written(found: Status, indent: int | None = 2) -> str:
    """The status as JSON."""
    return json.dumps(found.as_dict(), indent=indent)
