"""How many questions are still to be asked about a study's sets, before any of them is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mps_study.datasets.probes.store import ProbeStore
from mps_study.models.export.card import ModelCard
from mps_study.mps.config import SearchConfig
from mps_study.pipelines.probing.units import units_of
from mps_study.probing.conditions import CONDITIONS
from mps_study.probing.config import Probing
from mps_study.probing.subsets import SHARES


def questions_of_a_set(probing: Probing) -> int:
    """About one set of a model, asked of the model itself; of its parts at most so many."""
    asked = 0
    for condition in (CONDITIONS[name] for name in probing.conditions):
        asked += probing.repetitions if condition.by_chance else condition.fixed
    how = probing.subsets
    return asked if how is None else asked + max(2**how.all_up_to, how.most + len(SHARES) * how.orders)


def questions_left(
    probing: Probing,
    configs: Mapping[str, SearchConfig],
    models: Mapping[str, ModelCard | None],
    marks: Mapping[str, Mapping[str, str]],
    images: int,
    manifest: pd.DataFrame | None,
    store: ProbeStore,
) -> dict[str, int]:
    """Model -> questions that it is still to be asked, at most: as if each search found a set in every image.

    Args:
        probing: the parameters.
        configs: all searches.
        models: every model of the study, and its card where it is exported.
        marks: search -> model -> fingerprint of its records, where they are known.
        images: of the sample.
        manifest: of the sample, once it is drawn.
        store: what was answered so far.
    """
    searches = probing.of(list(configs))
    own = 1 + len(searches) * questions_of_a_set(probing)
    cross = sum(1 + len(configs[name].floors) for name in searches) if probing.cross else 0
    left = {name: images * (own + cross * (len(models) - 1)) for name in models}
    cards = {name: card for name, card in models.items() if card is not None}
    if manifest is None or not cards:
        return left
    known = {search: {name: mark for name, mark in of.items() if name in cards} for search, of in marks.items()}
    for unit in units_of(cards, known, cards, probing, manifest):
        done = len(store.images(unit.asked, unit.mark.digest))
        left[unit.asked] -= done * (own if unit.own else cross)
    return left
