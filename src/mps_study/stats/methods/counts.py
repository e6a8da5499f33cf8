"""How many images each selection of each team of models holds, and how many it had to leave out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.rows import Row, family, skipped, to_frame
from mps_study.stats.samples.samples import best_models, members
from mps_study.stats.samples.selections import SELECTIONS, Answers, answers, select, tied_votes

TEST = "images chosen"
VOTED = "unlabelled, outvoted at least one"


def selection_sizes(
    areas: pd.DataFrame,
    overlaps: pd.DataFrame,
    model_summary: pd.DataFrame,
    config: StatisticsConfig,
) -> pd.DataFrame:
    """One row for each team (best models, all models, each architecture) and selection.

    A description, so p is NaN. n counts the images that the selection holds, dropped those that it leaves undecided: a
    model without an answer, or a tied majority vote; the reason says how many of each. Effect is the share of all
    images. Whether an MPS was found plays no part here.
    """
    everyone = sorted(areas["model"].unique())
    teams = {"best models": best_models(model_summary), "all models": everyone}
    teams |= {f"{architecture} models": models for architecture, models in members(areas).items()}
    rows = [row for team, models in teams.items() for row in _sizes(team, models, areas)]
    return to_frame(family(rows, config.alpha))


def _sizes(team: str, models: Sequence[str], areas: pd.DataFrame) -> list[Row]:
    given = answers(areas, models)
    return [_size(f"{team}, {selection}", selection, given, len(models)) for selection in SELECTIONS]


def _size(group: str, selection: str, given: Answers, models: int) -> Row:
    if given.half.empty or not models:
        return skipped(TEST, group, "no image or no model")
    chosen = select(given, selection)
    undecided = int(chosen.isna().sum())
    tied = int((chosen.isna() & tied_votes(given)).sum()) if selection == VOTED else 0
    parts = [
        f"{tied} with a tied vote" if tied else "",
        f"{undecided - tied} without an answer from each model" if undecided > tied else "",
    ]
    n = int(chosen.fillna(False).sum())
    return Row(
        TEST,
        group,
        effect=n / len(given.half),
        effect_name="share of images",
        n=n,
        dropped=undecided,
        reason=" and ".join(part for part in parts if part) + (" left out" if undecided else ""),
    )
