"""The maps by which a search ranks pixels, ready for it: those that the study made, or the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.commands import kedro_run
from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import Failures
from mps_study.datasets.maps.store import MapStore
from mps_study.datasets.maps.wanted import given_maps, given_of, method_of
from mps_study.models.export.card import ModelCard
from mps_study.mps.common.choices import kind_of
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.failing import ensure_ready
from mps_study.pipelines.fingerprint import Fingerprint, maps_fingerprint
from mps_study.saliency.methods import METHODS

STAGE = "saliency"


@dataclass(frozen=True)
class Maps:
    """Image -> map (h, w) of one model; of those that have none, why; and what each took, where it was made here.

    Args:
        maps: None for a search that needs none.
        missing: image -> one line. Images that have no class or cannot be read are not among them.
        costs: image -> evaluations, gradients.
    """

    maps: Mapping[str, NDArray[np.float32]] | None
    missing: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, tuple[int, int]] = field(default_factory=dict)


NO_MAPS = Maps(None)
"""Of a search that needs none, or of which nothing is left to do."""


def maps_of(
    card: ModelCard, search: SearchConfig, manifest: pd.DataFrame, store: MapStore, failures: Failures, claims: Claims
) -> Maps:
    """What one search of one model needs.

    Raises:
        ValueError: maps are missing or do not fit; a method failed.
        ClaimedError: another process makes them.
    """
    given = given_of(search)
    if given is not None:
        found = given_maps(given, card.name, manifest["image"].astype(str), card.preprocessing.size)
        fault = found.fault()
        if fault:
            raise ValueError(fault)
        return Maps(found)
    if method_of(search) is None:
        return NO_MAPS
    mark = maps_fingerprint(card, search, manifest)
    unit = maps_unit(card.name, search, mark)
    ensure_ready(unit, failures, claims, (STAGE,))
    if not store.is_complete(card.name, mark.digest):
        raise ValueError(f"its saliency maps are not there; run `{kedro_run(STAGE, model=card.name)}` first")
    return Maps(
        store.maps(card.name, mark.digest), store.missing(card.name, mark.digest), store.costs(card.name, mark.digest)
    )


def maps_unit(model: str, search: SearchConfig, mark: Fingerprint | None) -> str:
    """The name of one unit of work, a model and a method: the searches of one fingerprint share it.

    Without a fingerprint, of a model that has no card yet, it is the method's alone.
    """
    method = method_of(search)
    assert method is not None
    told = f" {mark.digest[:8]}" if mark else ""
    return f"{model}, {kind_of(method, METHODS)}{told}"
