"""The areas that each test compares, as independent samples or as matched blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mps_study.stats.bootstrap import Floats
from mps_study.stats.samples.selections import answers, image_by_model, select

INDEPENDENT = (
    ("best models", "labelled, correct by all"),
    ("best models", "labelled, wrong by at least one"),
    ("best models", "labelled, wrong by all"),
    ("best models", "labelled, same wrong answer by all"),
    ("best models", "unlabelled"),
    ("best models", "unlabelled, same answer by all"),
    ("best models", "unlabelled, outvoted at least one"),
    ("all models", "labelled"),
    ("all models", "unlabelled"),
    ("all models", "all images"),
)
"""Who and which images the tests across architectures look at. The paper's H(4) does not say
which rows it pools; the three of `all models` are the candidates."""

DECIMALS = 12
"""Areas are pixel counts over input sizes; differences and means of them are rounded here,
far below one pixel, so that equal pixels stay tied in floating point."""


@dataclass(frozen=True)
class Independent:
    """Areas by architecture, and how many rows of each were left out; architectures sorted."""

    group: str
    values: dict[str, Floats]
    dropped: dict[str, int]

    def unfit(self, min_n: int) -> str:
        """Why these samples cannot be compared, or nothing."""
        if len(self.values) < 2:
            return f"{len(self.values)} architecture(s) to compare; at least 2 are needed"
        few = [f"{name} {len(x)}" for name, x in self.values.items() if len(x) < min_n]
        if few:
            return f"too few values: {', '.join(few)}; at least {min_n} each are needed"
        pooled = np.concatenate(list(self.values.values()))
        return "all values are equal" if np.ptp(pooled) == 0 else ""


@dataclass(frozen=True)
class Matched:
    """Complete blocks, image x treatment (treatments sorted), and how many were left out."""

    group: str
    table: pd.DataFrame
    dropped: int


def best_models(model_summary: pd.DataFrame) -> list[str]:
    """The best model of every architecture, sorted by name."""
    best = model_summary["best"].astype("boolean").fillna(False)
    return sorted(model_summary.loc[best, "model"])


def found_area(areas: pd.DataFrame) -> "pd.Series[float]":
    """The area of every row, NaN unless its MPS was found."""
    return areas["area"].astype("float64").where(areas["status"] == "found")


def members(areas: pd.DataFrame) -> dict[str, list[str]]:
    """Architecture to its models, both sorted."""
    pairs = areas[["architecture", "model"]].drop_duplicates()
    return {str(name): sorted(of["model"]) for name, of in pairs.groupby("architecture")}


def independent_samples(areas: pd.DataFrame, best: Sequence[str]) -> Iterator[Independent]:
    """The samples named in INDEPENDENT. Dropped: rows without an MPS, and undecided images'."""
    everyone = sorted(areas["model"].unique())
    teams = {"best models": list(best), "all models": everyone}
    given = {who: answers(areas, models) for who, models in teams.items()}
    for who, selection in INDEPENDENT:
        rows = areas[areas["model"].isin(teams[who])]
        chosen = rows["image"].map(select(given[who], selection)).astype("boolean")
        area = found_area(rows)
        usable = chosen.fillna(False) & area.notna()
        left_out = chosen.fillna(True) & ~usable
        names = sorted(rows["architecture"].unique())
        yield Independent(
            f"{who}, {selection}",
            {a: area[usable & (rows["architecture"] == a)].to_numpy() for a in names},
            {a: int((left_out & (rows["architecture"] == a)).sum()) for a in names},
        )


def matched_samples(areas: pd.DataFrame, best: Sequence[str]) -> Iterator[Matched]:
    """Blocks of one image each: models of one architecture, architecture means, best models.

    A mean needs all models of the architecture, and a block all treatments: a mean over whichever
    models found an MPS would compare different models on different images.
    """
    area = image_by_model(areas.assign(area=found_area(areas)), "area", sorted(areas["model"].unique()))
    families = members(areas)
    for architecture, models in families.items():
        yield complete(f"{architecture} models, all images", area[models])
    means = pd.DataFrame(
        {name: area[models].mean(axis=1, skipna=False) for name, models in families.items()},
        index=area.index,
    ).round(DECIMALS)
    given = answers(areas, best)
    for selection in ("all images", "labelled", "unlabelled"):
        yield complete(f"architecture means, {selection}", means, select(given, selection))
    selection = "labelled, correct by all"
    yield complete(f"best models, {selection}", area.reindex(columns=list(best)), select(given, selection))


def complete(group: str, table: pd.DataFrame, chosen: "pd.Series[bool] | None" = None) -> Matched:
    """The chosen blocks (all by default) that lack nothing; incomplete, undecided: dropped."""
    if chosen is None:
        chosen = pd.Series(True, index=table.index, dtype="boolean")
    kept = table[chosen.fillna(False).to_numpy(dtype=bool)].dropna()
    return Matched(group, kept, int(chosen.fillna(True).sum()) - len(kept))
