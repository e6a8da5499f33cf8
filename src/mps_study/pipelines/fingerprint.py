"""The fingerprint of a model's records: everything that can change them, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mps_study.models.card import ModelCard, digest_of
from mps_study.mps.types import ENGINE_VERSION, SearchConfig

LENGTH = 16
"""Hexadecimal digits kept of the sha256: enough for folder names, and for no collision among studies."""


@dataclass(frozen=True)
class Fingerprint:
    """A digest and the facts that it was made of."""

    digest: str
    facts: dict[str, Any]


def fingerprint(card: ModelCard, search: SearchConfig, manifest: pd.DataFrame) -> Fingerprint:
    """Of one model, one search and one sample. Batch size, workers, device and log level are not part of it."""
    facts = {
        "engine": ENGINE_VERSION,
        "model": card.fingerprint_facts,
        "search": search.as_dict(),
        "sample": digest_of(manifest[["image", "sha256"]].astype(str).to_dict("list")),
    }
    return Fingerprint(digest_of(facts)[:LENGTH], facts)
