"""The sets of a study by what was demanded of them: the first ones, and those at further floors of confidence."""

from __future__ import annotations

import pandas as pd

KEYS = ["image", "model", "search"]
COLUMNS = [*KEYS, "share", "area", "confidence", "certified"]


def sets_at_floors(areas: pd.DataFrame, more_sets: pd.DataFrame) -> pd.DataFrame:
    """One row an image, model, search and floor, in the order of the frames.

    Args:
        areas: the `areas` frame; of an image without further floors the first set is taken from here.
        more_sets: the `more_sets` frame, whose rows of kind `floor` count the first set among them.

    Returns:
        `share` of the original confidence that was demanded; `area`, NaN where no set was found; `confidence`;
        `certified`.
    """
    floors = more_sets.loc[more_sets["kind"] == "floor", COLUMNS] if len(more_sets) else more_sets
    first = areas.assign(area=areas["area"].where(areas["status"] == "found"))
    if not len(floors):
        return first[COLUMNS].reset_index(drop=True)
    there = pd.MultiIndex.from_frame(first[KEYS]).isin(pd.MultiIndex.from_frame(floors[KEYS]))
    return pd.concat([floors, first.loc[~there, COLUMNS]], ignore_index=True)


def demanded(share: float) -> str:
    """What was demanded of a set, in words: `the class alone`, `0.5 of the confidence`."""
    return "the class alone" if share == 0 else f"{share:g} of the confidence"
