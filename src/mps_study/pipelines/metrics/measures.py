"""Reads the record store for the metrics: the records that belong to this study, and masks one image at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import pandas as pd
from click import ClickException

from mps_study.common.commands import kedro_run
from mps_study.compare.overlap import Seen
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
    search: SearchConfig,
    manifest: pd.DataFrame,
    store: RecordStore,
    failures: Failures,
) -> dict[str, str]:
    """Model -> fingerprint of its records under this configuration; models without complete records are left out.

    Raises:
        ClickException: no model has any.
    """
    marks = {}
    for name in models:
        try:
            ensure_ready(name, failures)
        except ValueError as error:
            log.warning("%s is left out: %s", name, error)
            continue
        digest = fingerprint(cards[name], search, manifest).digest if name in cards else ""
        if digest and store.is_complete(name, digest):
            marks[name] = digest
        else:
            log.warning(
                "%s has no complete records under this configuration and is left out; run `%s`",
                name,
                kedro_run("mps_extraction", model=name),
            )
    if not marks:
        command = kedro_run("mps_extraction", "metrics")
        raise ClickException(f"no model has complete records under this configuration; run `{command}`")
    return marks


def small_records(store: RecordStore, marks: Mapping[str, str]) -> pd.DataFrame:
    """Records of all models, one below the other, without masks."""
    frames = [store.read(model, digest) for model, digest in marks.items()]
    return pd.concat(frames, ignore_index=True)


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
