"""Tables on where the sets lie: matrices of means (the paper's Tables 2 and 3), every pair, every selection."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mps_study.report.facts import selection
from mps_study.report.facts.results import StudyResults

MEASURES = {
    "dice": "Dice",
    "iou": "IoU",
    "hausdorff": "Hausdorff",
    "hausdorff_ratio": "Hausdorff, share of diagonal",
    "hausdorff_grid": "Hausdorff, on the grid",
    "centroid_distance": "Centroid distance",
}
MEANS_ONLY = ("hausdorff_ratio", "hausdorff_grid")
"""The same distance in other units, of which the table gives no intervals."""
CHOSEN = "images chosen"


def table_of_dice(results: StudyResults) -> pd.DataFrame:
    """Table 2: mean Dice coefficient between the compared models (1 = the same pixels)."""
    return matrix_of_means(results, "dice")


def table_of_hausdorff(results: StudyResults) -> pd.DataFrame:
    """Table 3: mean Hausdorff distance between the compared models, pixels of the source image."""
    return matrix_of_means(results, "hausdorff")


def matrix_of_means(results: StudyResults, measure: str) -> pd.DataFrame:
    """Means over the labelled images that all compared models get right; the diagonal is empty."""
    models = selection.compared_models(results)
    overlaps = overlaps_all_correct(results, measure)
    means = overlaps.groupby(["model_a", "model_b"])[measure].mean().to_dict()
    values = [[means.get((row, column), means.get((column, row), np.nan)) for column in models] for row in models]
    table = pd.DataFrame(values, columns=models, dtype=float)
    table.insert(0, "Model", models)
    return table


def overlaps_all_correct(results: StudyResults, measure: str) -> pd.DataFrame:
    """The compared models' overlaps on the labelled images that all of them get right."""
    overlaps = selection.compared_overlaps(results, measure)
    return overlaps[overlaps["image"].isin(selection.images_all_correct(results))]


def table_of_overlaps(results: StudyResults) -> pd.DataFrame:
    """Every pair, cross- and intra-architecture, on every selection of images: all measures with intervals.

    n counts the images of Dice and IoU, Distances those of the distances, which one empty set makes infinite.
    """
    statistics = results.statistics
    means = statistics[statistics["test"].isin([f"mean {measure}" for measure in MEASURES])]
    keys = ["Compared", "Images", "Pair"]
    split = means["group"].str.split(", ", n=1, expand=True).reindex(columns=[0, 1])
    means = means.assign(Compared=split[0], Images=split[1], Pair=means["contrast"])
    table = means.drop_duplicates(keys)[keys].reset_index(drop=True)
    for measure, heading in MEASURES.items():
        mine = means[means["test"] == f"mean {measure}"].set_index(keys)
        columns = {"effect": heading, "ci_low": f"{heading}, low", "ci_high": f"{heading}, high"}
        if measure == "dice":
            columns = {"n": "n", "dropped": "Dropped"} | columns | {"reason": "Note"}
        elif measure == "hausdorff":
            columns = {"n": "n, distances"} | columns
        elif measure in MEANS_ONLY:
            columns = {"effect": heading}
        table = table.join(mine[list(columns)].rename(columns=columns), on=keys)
    counts = ["n", "n, distances", "Dropped"]
    table[counts] = table[counts].astype("Int64")
    table = table.sort_values("Dice", key=pd.isna, kind="stable", ignore_index=True)  # skipped ones last
    return table[[name for name in table if name != "Note"] + ["Note"]]


def table_of_selections(results: StudyResults) -> pd.DataFrame:
    """How many images each selection holds for each team of models, how many are undecided, and why."""
    rows = results.statistics[results.statistics["test"] == CHOSEN]
    split = rows["group"].str.split(", ", n=1, expand=True).reindex(columns=[0, 1])
    return pd.DataFrame({
        "Compared": split[0], "Selection": split[1], "Images": rows["n"], "Images undecided": rows["dropped"],
        "Note": rows["reason"],
    }).reset_index(drop=True)  # fmt: skip
