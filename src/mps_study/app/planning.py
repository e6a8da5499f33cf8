"""`mps-study plan`: what a study will cost, gathered before any work from conf, cards and records, and told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir
from typing import Any

from mps_study.app.study_units import StudyNow, StudyUnit
from mps_study.app.words import duration, number, size, table
from mps_study.common.commands import kedro_run
from mps_study.common.searches import unit_name
from mps_study.datasets.maps.store import MapStore
from mps_study.datasets.maps.wanted import method_of
from mps_study.datasets.records.counted import all_facts, stored
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import files_of
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.devices import choose_device
from mps_study.models.inference.throughput import Throughput, machine
from mps_study.pipelines.probing.expected import questions_left
from mps_study.probing.config import Probing
from mps_study.project.expected import (
    DEFAULT,
    MEASURED,
    Figure,
    Known,
    exactly,
    expected_bytes,
    expected_evaluations,
    unknown,
)
from mps_study.project.plan import Plan, PlannedUnit, plan_of

SHARE_OF_RAW = {"cpu": 0.97, "cuda": 0.8}
"""Of the rate in which a model answers full batches, what a search gets: ReX's, on EfficientNet-Lite0
(benchmarks/results/rex.md, gpu.md). On a GPU a larger model leaves more of it."""

PROCESS_BYTES = 0.9e9
"""What a process needs beside its model: the peak of a `kedro run` of EfficientNet-Lite0 on two CPU cores was .89 GB.
Batches of a large model need more."""


def plan(now: StudyNow, workers: Iterable[int] = (), measure: bool = False) -> Plan:
    """The plan of a study as it stands.

    Args:
        now: the study.
        workers: numbers of workers, each like this machine, for which the schedule is simulated.
        measure: time exported models whose card does not know this machine; some seconds each. Nothing is kept.
    """
    with chdir(now.study.root):
        device, fault = _device(now.extraction.device)
        models = {unit.model: unit for unit in now.units}
        rates = {model: _rate(now, unit, device, fault, measure) for model, unit in models.items()}
        known = list(_known(now))
        return plan_of((_planned(now, unit, rates[unit.model], known) for unit in now.units), workers)


def _planned(now: StudyNow, unit: StudyUnit, rate: Figure, known: list[Known]) -> PlannedUnit:
    digest = unit.card.digest if unit.card else None
    done = 0
    if unit.mark is not None and now.manifest is not None:
        asked_for = set(now.manifest["image"].iloc[now.positions])
        done = len(asked_for & stored(now.store, unit.model, unit.mark.digest).images)
    return PlannedUnit(
        unit.model,
        unit.search,
        len(now.positions),
        done,
        expected_evaluations(unit.config, digest, known),
        rate,
        expected_bytes(unit.config, _pixels(unit), digest, known),
        *_sizes(now, unit),
        _maps_left(now, unit),
    )


def probes_left(now: StudyNow) -> dict[str, int]:
    """Model -> questions about sets that it is still to be asked, at most, once all searches are done."""
    configs = {unit.search: unit.config for unit in now.units}
    marks: dict[str, dict[str, str]] = {search: {} for search in configs}
    for unit in now.units:
        if unit.mark is not None:
            marks[unit.search][unit.model] = unit.mark.digest
    probing, store = Probing.model_validate(now.study.parameters["probing"]), now.study.dataset("probe_records").load()
    cards = {unit.model: unit.card for unit in now.units}
    with chdir(now.study.root):
        return questions_left(probing, configs, cards, marks, now.images, now.manifest, store)


def _maps_left(now: StudyNow, unit: StudyUnit) -> int:
    """Images whose map, by which the search ranks pixels, is still to be made."""
    if method_of(unit.config) is None:
        return 0
    there = MapStore(now.study.folder("saliency_maps"))
    return now.images - (len(there.images(unit.model, unit.maps.digest)) if unit.maps else 0)


def _sizes(now: StudyNow, unit: StudyUnit) -> tuple[Figure, Figure]:
    """Bytes of a model's files, and of the process that searches it."""
    if unit.card is None:
        return unknown("not exported"), unknown("not exported")
    files = files_of(now.study.folder("onnx_models") / f"{unit.model}.onnx")
    whole = float(sum(file.stat().st_size for file in files))
    return exactly(whole, MEASURED), Figure(whole + PROCESS_BYTES, whole + PROCESS_BYTES, None, DEFAULT, "at least")


def _pixels(unit: StudyUnit) -> int | None:
    """Pixels of the model's input, where they are known."""
    if unit.card:
        _, height, width = unit.card.preprocessing.shape
        return int(height * width)
    side = unit.entry.preprocessing.get("input_size")
    return side * side if isinstance(side, int) else None


def _device(wanted: str) -> tuple[str | None, str]:
    """`cpu` or `cuda`; or None, and why."""
    try:
        return choose_device(wanted), ""
    except ValueError as error:
        return None, str(error)


def _rate(now: StudyNow, unit: StudyUnit, device: str | None, fault: str, measure: bool) -> Figure:
    """Evaluations a second of a search of this model on this machine."""
    if unit.card is None:
        return unknown(f"not exported; `{kedro_run('model_export')}`, then plan with --measure")
    if device is None:
        return unknown(fault)
    card, here = unit.card, machine(device, now.extraction.precision)
    if here not in card.throughput and measure:
        return _timed(now, unit, card, device)
    if here not in card.throughput:
        others = f"; its card knows {', '.join(sorted(card.throughput))}" if card.throughput else ""
        return unknown(f"not timed on this machine in this precision{others}; plan with --measure")
    return _of_search(card.throughput[here], device, "card")


def _timed(now: StudyNow, unit: StudyUnit, card: ModelCard, device: str) -> Figure:
    """The same, measured now."""
    path, precision = now.study.folder("onnx_models") / f"{unit.model}.onnx", now.extraction.precision
    try:
        classifier = OnnxClassifier(
            path, device, precision=precision, output=card.output, shape=card.preprocessing.shape
        )  # fmt: skip
        _ = classifier.workers  # measured at this first look
    except Exception as error:  # ONNX Runtime raises many types, all meaning that it cannot be asked here
        return unknown(" ".join(str(error).split()))
    assert classifier.measured is not None
    return _of_search(classifier.measured, device, "measured now")


def _of_search(known: Throughput, device: str, origin: str) -> Figure:
    said = f"{origin}: {known.evaluations_per_second:g}/s raw, batches of {known.batch_size}, {known.workers} workers"
    return exactly(known.evaluations_per_second * SHARE_OF_RAW[device], MEASURED, said)


def _known(now: StudyNow) -> Iterator[Known]:
    """What the records of all studies at hand have cost: those beside this one's under the same folder."""
    kinds = [unit.config.identity()["strategy"]["kind"] for unit in now.units]
    stores = sorted(now.store.parent.parent.glob(f"*/{now.store.name}"))
    for folder, facts in all_facts(stores):
        try:
            identity, digest = facts["search"], facts["model"]["digest"]
            if identity["strategy"]["kind"] not in kinds:
                continue
        except (KeyError, TypeError):  # of an engine before this one's
            continue
        found = stored(folder.parent.parent, folder.parent.name, folder.name)
        yield Known(found.model, digest, identity, found.evaluations, found.size)


MARKS = {MEASURED: "m", "records": "r", DEFAULT: "d"}


def told(plan: Plan, probes: Mapping[str, int] | None = None) -> list[str]:
    """The plan as lines: a table, the dearest first, its total, the schedule, and what is not known and why."""
    header = ["model", "search", "images left", "evaluations/image", "evaluations/s", "time", "disk", "memory", "range"]
    least = "at least " if plan.unknown else ""
    hours, disk = plan.hours, plan.record_bytes
    total = [
        *("total", "", _left(sum(unit.left for unit in plan.units), sum(unit.images for unit in plan.units)), "", ""),
        least + duration(hours.value) if hours.value is not None else "unknown",
        "at least " * bool(disk.value and disk.note) + _cell(disk, size),
        "",
        _range(hours, duration),
    ]
    lines = table(header, [*(_row(unit) for unit in plan.units), total])
    lines.append(
        "m measured on this machine, r from records, d default; time: on this machine; disk: of records to come"
    )
    if maps := [f"{unit_name(unit.model, unit.search)} ({unit.maps:,})" for unit in plan.units if unit.maps]:
        lines.append(f"not in these figures: maps that are made before the search: {', '.join(maps)}")
    if questions := {name: left for name, left in (probes or {}).items() if left}:
        most = ", ".join(f"{name} ({left:,})" for name, left in questions.items())
        lines.append(
            f"not in these figures: questions about sets, each asked alone once they are found, at most: {most}"
        )
    evaluations = plan.evaluations
    if evaluations.value is not None:
        within = f" ({_range(evaluations, number)})" if _range(evaluations, number) else ""
        lines.append(
            f"{number(evaluations.value)} evaluations{within}{f', {evaluations.note}' * bool(evaluations.note)}"
        )
    lines += [
        f"{each.workers:,} {'machine' if each.workers == 1 else 'machines'} like this: {least}{duration(each.hours)}"
        f" (no schedule can beat {duration(each.bound)})"
        for each in plan.makespans
    ]
    reasons: dict[str, list[str]] = defaultdict(list)
    for unit in plan.unknown:
        reasons[unit.hours.note].append(unit_name(unit.model, unit.search))
    return lines + [f"unknown: {'; '.join(names)}: {reason}" for reason, names in reasons.items()]


def _row(unit: PlannedUnit) -> list[str]:
    return [
        unit.model,
        unit.search,
        _left(unit.left, unit.images),
        _cell(unit.evaluations, number),
        _cell(unit.rate, number),
        "unknown" if unit.hours.value is None else duration(unit.hours.value),
        _cell(unit.record_bytes.times(unit.left), size),
        _cell(unit.memory_bytes, size),
        _range(unit.hours, duration),
    ]


def _left(left: int, images: int) -> str:
    return f"{left:,} of {images:,}"


def _cell(figure: Figure, shown: Callable[[float], str]) -> str:
    return "unknown" if figure.value is None else f"{shown(figure.value)} {MARKS.get(figure.origin, '')}".rstrip()


def _range(figure: Figure, shown: Callable[[float], str]) -> str:
    if figure.value is None or figure.low == figure.high or figure.low is None or figure.high is None:
        return ""
    return f"{shown(figure.low)} to {shown(figure.high)}"


def written(plan: Plan, now: StudyNow, env: str | None) -> str:
    """The plan as JSON."""
    about: dict[str, Any] = {
        "env": env,
        "study": now.store.parent.name,
        "sample": "drawn" if now.manifest is not None else "to be drawn",
    }
    return json.dumps(about | plan.as_dict() | {"probing": {"questions_left": probes_left(now)}}, indent=2)
