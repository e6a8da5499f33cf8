"""The frames that the questions read (docs/architecture.md), and what is known of searches and models beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Frames:
    """A study as the questions see it.

    Args:
        areas, more_sets, overlaps, search_overlaps, answers, probes, sub_explanations: the frames of these names; any
            but `areas` may be empty.
        twins: pairs of searches that differ in their seed alone.
        of_labels: searches whose sets keep the label instead of the model's own class.
        normalisation: model -> kind of its normalisation, where it is known.
        several_labels: models that decide each label by itself, so that their outputs are no softmax.
        resamples, seed: of the bootstrap.
    """

    areas: pd.DataFrame
    more_sets: pd.DataFrame
    overlaps: pd.DataFrame
    search_overlaps: pd.DataFrame
    answers: pd.DataFrame
    probes: pd.DataFrame
    sub_explanations: pd.DataFrame
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    twins: Sequence[tuple[str, str]] = ()
    of_labels: Sequence[str] = ()
    normalisation: Mapping[str, str] = field(default_factory=dict)
    several_labels: Collection[str] = ()
    resamples: int = 2000
    seed: int = 0

    def models(self) -> list[str]:
        """In the order of `areas`."""
        return [str(model) for model in self.areas["model"].unique()]

    def searches(self) -> list[str]:
        """In the order of `areas`."""
        return [str(search) for search in self.areas["search"].unique()]

    def architectures(self) -> dict[str, str]:
        """Model -> architecture."""
        pairs = self.areas[["model", "architecture"]].drop_duplicates()
        return dict(pairs.itertuples(index=False, name=None))
