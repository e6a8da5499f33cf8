"""The fingerprint of a model's records: everything that can change them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.digests import digest_of, digest_of_files
from mps_study.datasets.maps.wanted import given_maps, given_of, method_of
from mps_study.models.export.card import ModelCard
from mps_study.mps.common.choices import kind_of
from mps_study.mps.common.terms import TOP
from mps_study.mps.common.values import changed_values_of
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import ENGINE_VERSION
from mps_study.pipelines.targets import targets_of
from mps_study.saliency.methods import METHODS

LENGTH = 16
"""Hexadecimal digits kept of the sha256: enough for folder names, and for no collision among studies."""


@dataclass(frozen=True)
class Fingerprint:
    """A digest and the facts that it was made of; with them, for a reader, all `parameters` of the search."""

    digest: str
    facts: dict[str, Any]


def fingerprint(card: ModelCard, search: SearchConfig, manifest: pd.DataFrame) -> Fingerprint:
    """Of one model, one search and one sample. Batch size, workers, device and log level are not part of it.

    Nor is a parameter of the search that is at its default (docs/decisions/0009). All of them stand beside the facts.
    """
    facts = {
        "engine": ENGINE_VERSION,
        "model": card.fingerprint_facts,
        "search": search.identity(),
        "sample": digest_of(manifest[["image", "sha256"]].astype(str).to_dict("list")),
    }
    if isinstance(search.target, str) and search.target != TOP:
        facts["targets"] = digest_of(targets_of(card, search, manifest))
    other = baseline_path(search)
    if other is not None:
        facts["baseline_image"] = digest_of_files(other)
    given = given_of(search)
    if given is not None:
        facts["maps"] = given_maps(given, card.name, manifest["image"].astype(str)).digest()
    elif method_of(search) is not None:
        facts["maps"] = maps_fingerprint(card, search, manifest).digest
    return Fingerprint(digest_of(facts)[:LENGTH], facts | {"parameters": search.as_dict()})


def maps_fingerprint(card: ModelCard, search: SearchConfig, manifest: pd.DataFrame) -> Fingerprint:
    """Of the maps that a search ranks pixels by: the method and what of the search can change a map.

    Searches that differ in floors, steps or budget share their maps; so do those that differ in seed, where chance has
    no part in map and baseline.
    """
    method, baseline = method_of(search), search.baseline
    assert method is not None
    facts = {
        "method": {"kind": kind_of(method, METHODS), "version": method.version} | changed_values_of(method),
        "model": card.fingerprint_facts,
        "baseline": dict(baseline) if isinstance(baseline, Mapping) else baseline,
        "sample": digest_of(manifest[["image", "sha256"]].astype(str).to_dict("list")),
    }
    if method.by_chance or isinstance(baseline, (str, Mapping)):
        facts["seed"] = search.seed
    if search.target != TOP:
        targets = targets_of(card, search, manifest)
        facts["targets"] = digest_of(targets)
    other = baseline_path(search)
    if other is not None:
        facts["baseline_image"] = digest_of_files(other)
    return Fingerprint(digest_of(facts)[:LENGTH], facts)


def baseline_path(search: SearchConfig) -> Path | None:
    """The file that `baseline: {kind: image, path: ...}` names."""
    baseline = search.baseline
    if isinstance(baseline, Mapping) and baseline.get("kind") == "image":
        return Path(str(baseline["path"]))
    return None


def baseline_bytes(search: SearchConfig) -> bytes | None:
    """The encoded image of that file; None for other baselines."""
    path = baseline_path(search)
    return None if path is None else path.read_bytes()
