"""The fingerprint of a model's records: everything that can change them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mps_study.common.digests import digest_of, digest_of_files
from mps_study.models.export.card import ModelCard
from mps_study.mps.common.terms import TOP
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import ENGINE_VERSION
from mps_study.pipelines.targets import targets_of

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
    return Fingerprint(digest_of(facts)[:LENGTH], facts | {"parameters": search.as_dict()})


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
