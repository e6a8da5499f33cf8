"""What is asked about the sets that a study finds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mps_study.common.numbers import plain
from mps_study.common.spelling import unknown
from mps_study.probing.conditions import CONDITIONS
from mps_study.probing.subsets import Subsets


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in CONDITIONS:
            raise ValueError(unknown("condition", name, CONDITIONS, "docs/how-to/probes.md says what each is."))
    if len(set(names)) < len(names):
        raise ValueError("name each condition once")
    return names


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _takes_numpys_numbers(cls, given: Any) -> Any:
        return plain(given)


class SubsetsGroup(_Group):
    """How parts of sets are asked about: see `mps_study.probing.subsets.Subsets`."""

    all_up_to: Annotated[int, Field(ge=2, le=16)] = 12
    most: Annotated[int, Field(ge=1)] = 500
    orders: Annotated[int, Field(ge=1)] = 10


class Probing(_Group):
    """What is asked about sets once they are found; it changes no record of a search.

    Args:
        searches: whose sets are asked about; null for all.
        conditions: names of `mps_study.probing.conditions.CONDITIONS`.
        repetitions: variants of a condition that is drawn by chance.
        cross: whether each model is asked about the sets of all others.
        sub_explanations: how parts of the sets are asked about; null leaves that out.
        tile: side in pixels of the tiles of a set that was found without any; a certificate says its own.
        seed: of all chance.
    """

    searches: list[str] | None = None
    conditions: Annotated[list[str], AfterValidator(_known)] = list(CONDITIONS)
    repetitions: Annotated[int, Field(ge=1)] = 10
    cross: bool = True
    sub_explanations: SubsetsGroup | None = SubsetsGroup()
    tile: Annotated[int, Field(ge=1)] = 16
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def subsets(self) -> Subsets | None:
        """What of it concerns the parts of sets."""
        return None if self.sub_explanations is None else Subsets(**self.sub_explanations.model_dump())

    def of(self, searches: list[str]) -> list[str]:
        """Those of a study's searches whose sets are asked about, in their order."""
        return [name for name in searches if self.searches is None or name in self.searches]
