"""A made-up study of two searches: the small one, and another whose sets are parts of its sets."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from synthetic_study import small_study, view_of

from mps_study.measures.searches import measure_search_overlaps, summarise_searches
from mps_study.report.facts.results import Searches, Sighting, StudyResults
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import SEARCH_STATISTICS

OTHER = "minimal"


def searched_study() -> StudyResults:
    """Three models on eight images by two searches; the other found nothing on one image more."""
    results = small_study()
    own = results.areas

    def mask(image: str, model: str, search: str) -> np.ndarray | None:
        whole = results.mask(image, model)
        if whole is None or search == "study":
            return whole
        part = whole.copy()
        part[::2] = False
        return None if (image, model) == ("val_0003", "lite0") else part

    masks = {(i, m): mask(i, m, OTHER) for i, m in zip(own["image"], own["model"], strict=True)}
    pixels = [np.nan if one is None else float(one.sum()) for one in masks.values()]
    other = own.assign(
        search=OTHER,
        fingerprint="m" * 8,
        status=["found" if one is not None else "below" for one in masks.values()],
        pixels=pd.array(pixels, dtype="Int64"),
        area=np.array(pixels) / (own["height"] * own["width"]),
        evaluations=own["evaluations"] // 3,
    )
    areas = pd.concat([own, other], ignore_index=True)
    areas = areas.assign(share=0.0, certified=areas["search"] == OTHER, insertion_area=0.5, deletion_area=0.25)
    areas = areas.assign(map_evaluations=0, map_gradients=0)

    def packed(model: str, fingerprint: str) -> dict[str, np.ndarray]:
        search = OTHER if fingerprint.startswith("m") else "study"
        sets = {image: mask(image, model, search) for image in own["image"].unique()}
        return {image: np.packbits(one) for image, one in sets.items() if one is not None}

    def sighting(image: str, model: str, search: str) -> Sighting:
        side = int(own.loc[own["model"] == model, "height"].iloc[0])
        return Sighting(view_of(side), mask(image, model, search), None)

    config = StatisticsConfig(resamples=50)
    tests = [test(areas, results.overlaps, results.model_summary, config) for test in SEARCH_STATISTICS.values()]
    return dataclasses.replace(
        results,
        statistics=pd.concat([results.statistics, *tests], ignore_index=True),
        searches=Searches(
            [OTHER], areas, summarise_searches(areas, 50), measure_search_overlaps(areas, packed), sighting
        ),
    )


def for_labels(searched: StudyResults) -> StudyResults:
    """The study of two searches, of which the other keeps each image's label, where it has one."""
    assert searched.searches is not None
    areas = searched.searches.areas
    other = areas["search"] == OTHER
    kept = areas["target"].where(~other | areas["label"].isna(), areas["label"])
    searches = dataclasses.replace(searched.searches, areas=areas.assign(kept=kept))
    own = searched.areas.assign(kept=searched.areas["target"])
    return dataclasses.replace(searched, areas=own, searches=searches)
