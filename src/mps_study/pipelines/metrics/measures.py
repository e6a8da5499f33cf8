"""Reads the record store for the metrics: the records that belong to this study, and masks one image at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from click import ClickException

from mps_study.common.commands import THIS_RUN, kedro_run
from mps_study.common.searches import OWN, unit_name
from mps_study.datasets.failures import Failures
from mps_study.datasets.records.store import RecordStore, unpack_landscape, unpack_mask
from mps_study.images.annotations.regions import unpacked
from mps_study.measures.agreement import Marked, Needed
from mps_study.measures.overlap import Seen
from mps_study.measures.searches import Bits
from mps_study.models.export.card import ModelCard
from mps_study.models.export.normalisation import normalisation_of
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import FOUND
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import fingerprint

log = logging.getLogger(__name__)
SEEN = ("status", "view", "height", "width", "mask")
"""Columns of the record store that overlaps are made of."""


def fingerprints_of(
    models: Iterable[str],
    cards: Mapping[str, ModelCard],
    searches: Mapping[str, SearchConfig],
    manifest: pd.DataFrame,
    store: RecordStore,
    failures: Failures,
) -> dict[str, dict[str, str]]:
    """Search -> model -> fingerprint of its records under this configuration.

    A model without complete records of the study's own search is left out, of another search from that one.

    Raises:
        ClickException: no model has complete records of the study's own search.
    """
    ready = _ready(models, failures)
    marks: dict[str, dict[str, str]] = {}
    for search, config in searches.items():
        digests = {name: fingerprint(cards[name], config, manifest).digest for name in ready if name in cards}
        marks[search] = {name: mark for name, mark in digests.items() if store.is_complete(name, mark)}
        for name in ready:
            if name not in marks[search]:
                more = {} if search == OWN else {"only_search": search}
                told = (
                    f"{unit_name(name, search)} has no complete records under this configuration and is left out; "
                    f"run `{kedro_run('mps_extraction', typed=THIS_RUN, model=name, **more)}`"
                )
                if THIS_RUN.first(told):
                    log.warning("%s", told)
        if not marks[OWN]:
            command = kedro_run("mps_extraction", "metrics")
            raise ClickException(f"no model has complete records under this configuration; run `{command}`")
        ready = list(marks[OWN])
    return marks


def _ready(models: Iterable[str], failures: Failures) -> list[str]:
    """The models for which no earlier stage failed; says why the others are left out."""
    ready = []
    for name in models:
        try:
            ensure_ready(name, failures)
        except ValueError as error:
            if THIS_RUN.first(told := f"{name} is left out: {error}"):
                log.warning("%s", told)
        else:
            ready.append(name)
    return ready


def marks_of(areas: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Search -> model -> fingerprint, as the areas frame has them."""
    return {
        str(search): dict(zip(group["model"], group["fingerprint"], strict=True))
        for search, group in areas.groupby("search", sort=False)
    }


def records_of(store: RecordStore, marks: Mapping[str, str], columns: Sequence[str]) -> pd.DataFrame:
    """These columns of the records of all models, one model below the other."""
    frames = [store.read(model, digest, columns) for model, digest in marks.items()]
    return pd.concat(frames, ignore_index=True)


def packed_sets(store: RecordStore, model: str, digest: str) -> dict[str, Bits]:
    """Image -> packed mask of the records of one model and search with status `found`."""
    frame = store.read(model, digest, ["image", "status", "mask"])
    found = frame[frame["status"] == FOUND]
    return {
        str(image): np.frombuffer(mask, np.uint8) for image, mask in zip(found["image"], found["mask"], strict=True)
    }


def masks_of(store: RecordStore, marks: Mapping[str, str]) -> Callable[[str], Mapping[str, Seen]]:
    """Image -> model -> mask and view of the records with status `found`, read when they are asked for."""
    by_image = store.by_image(marks)

    def masks(image: str) -> dict[str, Seen]:
        rows = {model: by_image.record(image, model, SEEN) for model in marks}
        return {model: _seen(row) for model, row in rows.items() if row is not None and row["status"] == FOUND}

    return masks


def regions_of(annotations: pd.DataFrame) -> Callable[[str], list[Marked]]:
    """Image -> what people marked on it; masks are unpacked when they are asked for."""
    rows: dict[str, list[dict[Any, Any]]] = {}
    for row in annotations.to_dict("records"):
        rows.setdefault(str(row["image"]), []).append(row)

    def regions(image: str) -> list[Marked]:
        return [
            Marked(
                (row["left"], row["top"], row["right"], row["bottom"]),
                unpacked(row["mask"]) if isinstance(row["mask"], bytes) else None,
            )
            for row in rows.get(image, ())
        ]

    return regions


def needed_by(store: RecordStore, marks: Mapping[str, Mapping[str, str]]) -> Callable[[str, str, str], Needed | None]:
    """(image, model, search) -> set, view and map of the record, read when they are asked for; None without a set."""
    stores = {search: store.by_image(mine) for search, mine in marks.items()}

    def needed(image: str, model: str, search: str) -> Needed | None:
        has_map = stores[search].may_have(image, model, "landscape")
        row = stores[search].record(image, model, (*SEEN, "landscape") if has_map else SEEN)
        if row is None or row["mask"] is None:
            return None
        seen, size = _seen(row), (int(row["height"]), int(row["width"]))
        heights = row.get("landscape")
        return Needed(seen.mask, seen.view, None if heights is None else unpack_landscape(heights, *size))

    return needed


def _seen(row: Mapping[str, Any]) -> Seen:
    top, left, bottom, right = row["view"]
    return Seen(unpack_mask(row["mask"], int(row["height"]), int(row["width"])), (top, left, bottom, right))


def of_this_study(frame: pd.DataFrame, name: str, known: Collection[tuple[str, str]]) -> pd.DataFrame:
    """The rows whose model and fingerprint, or digest, are known; a line says so if others are left out.

    Frames of the stage `probing` are as old as its last run, and records or models may have changed since.
    """
    if not len(frame):
        told = "%s: nothing was asked; if the parameters `probing` ask for it, run `%s`"
        log.warning(told, name, kedro_run("probing", "metrics"))
        return frame
    mark = "fingerprint" if "fingerprint" in frame else "digest"
    here = pd.MultiIndex.from_frame(frame[["model", mark]].astype(str)).isin(list(known))
    if not here.all():
        told = "%s: %d rows are of other records than the study's and are left out; run `%s`"
        log.warning(told, name, int((~here).sum()), kedro_run("probing", "metrics"))
    return frame[here]


def normalisations(models: Iterable[str], files: Mapping[str, Path]) -> dict[str, str]:
    """Model -> kind of its normalisation; one whose file is not there or cannot be read is left out, with a line."""
    found = {}
    for name in models:
        try:
            found[name] = normalisation_of(files[name])
        except (KeyError, OSError, ValueError) as error:
            log.warning("%s: its kind of normalisation is not known: %s", name, error)
    return found
