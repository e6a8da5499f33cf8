"""How sets change with the search where more than the class is demanded of them: at the further confidence floors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pandas as pd

from mps_study.common.floors import demanded, sets_at_floors
from mps_study.common.searches import OWN
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.searches import difference_row, names_of, pairs_of
from mps_study.stats.methods.wilcoxon import paired_contrast
from mps_study.stats.rows import family, to_frame
from mps_study.stats.samples.samples import Matched


def floor_differences(areas: pd.DataFrame, more_sets: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """As `search_differences`, at each floor of confidence but that of the first sets."""
    return to_frame(family([difference_row(pair, config) for pair in _pairs(areas, more_sets, config)], config.alpha))


def floor_wilcoxon(areas: pd.DataFrame, more_sets: pd.DataFrame, config: StatisticsConfig) -> pd.DataFrame:
    """The same pairs, tested as in `wilcoxon`; all models, floors and searches are one family."""
    pairs = _pairs(areas, more_sets, config)
    return to_frame(family([paired_contrast(pair, *names_of(pair), config) for pair in pairs], config.alpha))


def _pairs(areas: pd.DataFrame, more_sets: pd.DataFrame, config: StatisticsConfig) -> Iterator[Matched]:
    """Of every model and further floor: each search and one that it is compared with, on images with both sets."""
    if not len(more_sets):
        return
    own = areas[areas["search"] == OWN]
    first = own.groupby("model")["share"].first()
    sets = sets_at_floors(areas, more_sets)
    further = sets[sets["share"] != sets["model"].map(first)]
    for key, rows in further.groupby(["model", "share"]):
        model, share = cast(tuple[str, float], key)
        table = rows.pivot(index="image", columns="search", values="area")
        if OWN in table:
            images = own.loc[own["model"] == model, "image"]  # an image on which nothing was found has no floors
            for pair in pairs_of(f"searches of {model}", table.reindex(images), config):
                yield replace(pair, group=f"{pair.group}, {demanded(share)}")
