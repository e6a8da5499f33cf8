"""The classes that the sets of a study keep, as indices: the engine knows no names and no labels."""

from __future__ import annotations

import pandas as pd

from mps_study.models.export.card import ModelCard, class_names
from mps_study.models.export.class_names import class_index
from mps_study.mps.common.terms import LABEL, TOP
from mps_study.mps.config import SearchConfig


def targets_of(card: ModelCard, search: SearchConfig, manifest: pd.DataFrame) -> int | dict[str, int] | None:
    """What `extract_mps` takes for `search.target`: None for top-1, an index, or image -> its label.

    Images without a label are not in the mapping: they keep their top-1.

    Raises:
        ValueError: `search.target` is no class of the model.
    """
    if search.target == TOP:
        return None
    labelled = manifest.dropna(subset=["label"])
    if search.target == LABEL:
        return {str(image): int(label) for image, label in zip(labelled["image"], labelled["label"], strict=True)}
    named = labelled.dropna(subset=["class_name"])
    sample = {int(label): str(name) for label, name in zip(named["label"], named["class_name"], strict=True)}
    return class_index(search.target, card.classes, class_names(card, sample))
