"""What is asked of whom: a unit is one model that is asked about the sets of one model, itself or another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from mps_study.common.digests import digest_of
from mps_study.models.export.card import ModelCard
from mps_study.pipelines.fingerprint import LENGTH, Fingerprint
from mps_study.probing.config import Probing

VERSION = 1
"""Raised whenever a change can change an answer to a probe; in every fingerprint."""


@dataclass(frozen=True)
class ProbeUnit:
    """A model that is asked about the sets of one model.

    Args:
        asked, owner: the two; their own sets are put under conditions as well.
        marks: search -> fingerprint of the owner's records.
        mark: fingerprint of the answers.
    """

    asked: str
    owner: str
    marks: Mapping[str, str]
    mark: Fingerprint

    @property
    def own(self) -> bool:
        """Whether it is asked about its own sets."""
        return self.asked == self.owner

    @property
    def name(self) -> str:
        """Of the unit, in claims, notes and logs."""
        return self.asked if self.own else f"{self.asked}, sets of {self.owner}"


def units_of(
    asked: Iterable[str],
    marks: Mapping[str, Mapping[str, str]],
    cards: Mapping[str, ModelCard],
    probing: Probing,
    manifest: pd.DataFrame,
) -> list[ProbeUnit]:
    """All units of a study, those of one asked model together, its own sets first.

    Args:
        asked: models.
        marks: search -> model -> fingerprint of its complete records.
        cards: of all models.
        probing: the parameters.
        manifest: the sample.
    """
    by_owner: dict[str, dict[str, str]] = {}
    for search in probing.of(list(marks)):
        for owner, digest in marks[search].items():
            by_owner.setdefault(owner, {})[search] = digest
    sample = digest_of(manifest[["image", "sha256"]].astype(str).to_dict("list"))
    units = []
    for name in asked:
        others = [owner for owner in by_owner if owner != name] if probing.cross else []
        for owner in [*([name] if name in by_owner else []), *others]:
            facts = {
                "probing": VERSION,
                "asked": cards[name].fingerprint_facts,
                "sets": by_owner[owner],
                "how": probing.model_dump(exclude={"searches", "cross"}) if owner == name else {},
                "sample": sample,
            }
            units.append(ProbeUnit(name, owner, by_owner[owner], Fingerprint(digest_of(facts)[:LENGTH], facts)))
    return units
