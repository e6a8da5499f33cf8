"""Images that a model gets wrong, and two sets of each: of the class given, and of the label (`search.target`)."""

from __future__ import annotations

import pandas as pd

from mps_study.report.facts.results import StudyResults

KEYS = ["image", "model"]


def asks_for_labels(results: StudyResults) -> bool:
    """Whether any of the study's searches kept a class that was not the model's answer, beside one that kept that."""
    return results.searches is not None and not both_classes(results).empty


def both_classes(results: StudyResults) -> pd.DataFrame:
    """One row a misclassified image and model with a record of each, those of the surest wrong answers first.

    Columns: `image`, `model`, `target` (the class given), `label`; and of each of the two records, ending in `_given`
    and `_label`, `search`, `status`, `area`, `confidence` (NaN without a set) and `target_confidence` (of its class,
    from the whole image). Of several such searches the first of the study.
    """
    columns = ["search", "status", "area", "confidence", "target_confidence"]
    if results.searches is None or "kept" not in results.searches.areas:
        return pd.DataFrame(columns=[*KEYS, "target", "label"])
    areas = results.searches.areas
    wrong = areas[~areas["correct"].astype("boolean").fillna(True) & areas["kept"].notna()]
    first = {
        "given": wrong[wrong["kept"] == wrong["target"]].drop_duplicates(KEYS),
        "label": wrong[wrong["kept"] == wrong["label"]].drop_duplicates(KEYS),
    }
    both = first["given"][[*KEYS, "target", "label", *columns]].merge(
        first["label"][[*KEYS, *columns]], on=KEYS, suffixes=("_given", "_label")
    )
    return both.sort_values(["target_confidence_given", *KEYS], ascending=[False, True, True], ignore_index=True)
