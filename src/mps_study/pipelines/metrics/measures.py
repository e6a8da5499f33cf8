"""Reads the record store for the metrics: the records that belong to this study, and masks one image at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from mps_study.common.searches import OWN, unit_name
from mps_study.compare.overlap import Seen
from mps_study.compare.searches import Bits
from mps_study.datasets.failures import Failures
from mps_study.datasets.records import RecordStore, unpack_mask
from mps_study.models.export.card import ModelCard
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import FOUND
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import fingerprint

log = logging.getLogger(__name__)


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
        ValueError: no model has complete records of the study's own search.
    """
    ready = _ready(models, failures)
    marks: dict[str, dict[str, str]] = {}
    for search, config in searches.items():
        digests = {name: fingerprint(cards[name], config, manifest).digest for name in ready if name in cards}
        marks[search] = {name: mark for name, mark in digests.items() if store.is_complete(name, mark)}
        for name in ready:
            if name not in marks[search]:
                log.warning(
                    "%s has no complete records under this configuration and is left out; "
                    "run `kedro run --pipeline mps_extraction --params model=%s%s`",
                    unit_name(name, search),
                    name,
                    "" if search == OWN else f",only_search={search}",
                )
        if not marks[OWN]:
            raise ValueError(
                "no model has complete records under this configuration; "
                "run `kedro run --pipeline mps_extraction` (with the same --env and --params) first"
            )
        ready = list(marks[OWN])
    return marks


def _ready(models: Iterable[str], failures: Failures) -> list[str]:
    """The models for which no earlier stage failed; says why the others are left out."""
    ready = []
    for name in models:
        try:
            ensure_ready(name, failures)
        except ValueError as error:
            log.warning("%s is left out: %s", name, error)
        else:
            ready.append(name)
    return ready


def marks_of(areas: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Search -> model -> fingerprint, as the areas frame has them."""
    return {
        str(search): dict(zip(group["model"], group["fingerprint"], strict=True))
        for search, group in areas.groupby("search", sort=False)
    }


def small_records(store: RecordStore, marks: Mapping[str, str]) -> pd.DataFrame:
    """Records of all models, one below the other, without masks."""
    frames = [store.read(model, digest) for model, digest in marks.items()]
    return pd.concat(frames, ignore_index=True)


def packed_sets(store: RecordStore, model: str, digest: str) -> dict[str, Bits]:
    """Image -> packed mask of the records of one model and search with status `found`."""
    frame = store.read(model, digest, masks=True)
    found = frame[frame["status"] == FOUND]
    return {
        str(image): np.frombuffer(mask, np.uint8) for image, mask in zip(found["image"], found["mask"], strict=True)
    }


def masks_of(store: RecordStore, marks: Mapping[str, str]) -> Callable[[str], Mapping[str, Seen]]:
    """Image -> model -> mask and view of the records with status `found`.

    Packed masks of all models are held; a mask is unpacked when it is asked for.
    """
    packed: dict[str, dict[str, tuple[bytes, int, int, tuple[float, ...]]]] = {}
    for model, digest in marks.items():
        frame = store.read(model, digest, masks=True)
        for row in frame[frame["status"] == FOUND].to_dict("records"):
            facts = (row["mask"], int(row["height"]), int(row["width"]), tuple(row["view"]))
            packed.setdefault(str(row["image"]), {})[model] = facts

    def masks(image: str) -> dict[str, Seen]:
        return {
            model: Seen(unpack_mask(mask, height, width), (view[0], view[1], view[2], view[3]))
            for model, (mask, height, width, view) in packed.get(image, {}).items()
        }

    return masks
