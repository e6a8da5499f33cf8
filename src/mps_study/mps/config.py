"""Every parameter that can change a mask, checked when it is set.

The top of this room: it knows the dictionaries of choices, and nothing here knows it but for its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from mps_study.mps.baselines import Baseline, check_baseline
from mps_study.mps.rankings import RANKINGS
from mps_study.mps.several import SEVERAL
from mps_study.mps.strategies import STRATEGIES
from mps_study.mps.superpixels import CUTS


@dataclass(frozen=True)
class SearchConfig:
    """Every parameter that can change a mask. Defaults are ReX's, as the paper used them.

    Args:
        strategy: how the set is found; a key of `mps_study.mps.strategies.STRATEGIES`.
        ranking: in which order pixels are kept; a key of `mps_study.mps.rankings.RANKINGS`. Not used by `minimal`.
        cuts: where a box is split. `rex` draws pixel positions from the random stream of rex-xai 0.4.1
            (`RandomState(seed + iteration)`); `fraction` draws shares of the box from the seed and the image's
            key, so that models of different input size start from the same superpixels.
        seed: the one source of chance, not negative.
        iterations: number of random partitions whose maps are merged.
        tree_depth: a box deeper than this is not split.
        min_box_size: a box of fewer pixels is not split.
        chunk_size: pixels by which the prefix of the ranking grows.
        queue_style: which passing mutants are refined: `area` (smallest first), `intersection`, `all`, `dc`.
        queue_len: how many of them.
        responsibility_style: how the maps of the iterations are merged: `multiplicative` or `additive`.
        weighted: responsibility is weighted by the mutant's confidence.
        confidence_filter: a mutant passes only with this share of the original confidence.
        minimum_confidence_threshold: the final set passes only with this share of the original confidence.
        confidence_floor: the final set passes only with this confidence, whatever the original one.
        floors: shares of the original confidence, above `minimum_confidence_threshold`, at which sets are found as
            well (strategies `rex` and `minimal`).
        contrastive_threshold: share of the original confidence that a contrastive set must keep alone; rex-xai's is 1.
        several: sets of one image that are looked for, the first included (strategies `rex` and `minimal`).
        several_by: how; a key of `mps_study.mps.several.SEVERAL`.
        overlap: the largest Dice coefficient of two of them; 0 for disjoint sets.
        curve_steps: steps of the ranking's insertion and deletion curves; 0 for none. Not for `minimal`.
        granularity: side in pixels of the tiles of which a minimal set can spare none (strategy `minimal`).
        budget: most evaluations for one image; None for no limit. Replies asked again because of a narrow
            margin are not counted, as in `MpsRecord.evaluations`.
        baseline: what a pixel that is not kept becomes, after normalisation: a number, one number a channel,
            a key of `mps_study.mps.baselines.BASELINES`, or such a `kind` with its arguments.
        margin_tolerance: a reply whose two best logits are nearer than this is asked again, alone.
        keep_landscape: store the responsibility map with the record.

    Raises:
        ValueError: naming the parameter, what arrived and what is allowed.
    """

    strategy: str = "rex"
    ranking: str = "responsibility"
    cuts: str = "rex"
    seed: int = 0
    iterations: int = 20
    tree_depth: int = 10
    min_box_size: int = 10
    chunk_size: int = 10
    queue_style: str = "area"
    queue_len: int = 1
    responsibility_style: str = "multiplicative"
    weighted: bool = False
    confidence_filter: float = 0.0
    minimum_confidence_threshold: float = 0.0
    confidence_floor: float = 0.0
    floors: Sequence[float] = ()
    contrastive_threshold: float = 1.0
    several: int = 1
    several_by: str = "forbidding"
    overlap: float = 0.0
    curve_steps: int = 0
    granularity: int = 4
    budget: int | None = None
    baseline: Baseline = 0.0
    margin_tolerance: float = 1e-3
    keep_landscape: bool = False

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            _one_of(name, getattr(self, name), choices)
        for name, least in _WHOLE_NUMBERS.items():
            _whole(name, getattr(self, name), least)
        if self.budget is not None:
            _whole("budget", self.budget, 1)
        for name in _SHARES:
            _number(name, getattr(self, name), 0.0, 1.0)
        _number("margin_tolerance", self.margin_tolerance, 0.0, 10.0)
        for name in ("weighted", "keep_landscape"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"search.{name} is {getattr(self, name)!r}; use true or false")
        if not isinstance(self.floors, (list, tuple)):
            raise ValueError(f"search.floors is {self.floors!r}; use a list of shares, such as [0.5, 0.9]")
        for share in self.floors:
            _number("floors", share, 0.0, 1.0)
        check_baseline(self.baseline)
        self._check_together()

    def _check_together(self) -> None:
        """Raise ValueError where two parameters exclude each other."""
        if self.strategy not in ("rex", "minimal"):
            if self.floors:
                raise ValueError(f"search.floors is {self.floors!r}; the strategy {self.strategy} has no floor, use []")
            if self.several > 1:
                raise ValueError(f"search.several is {self.several}; the strategy {self.strategy} finds one set, use 1")
        if self.seed + self.iterations > _SEEDS:
            raise ValueError(
                f"search.seed is {self.seed}; use one that stays below 2**32 with {self.iterations} iterations added"
            )
        idle = any(share <= self.minimum_confidence_threshold for share in self.floors)
        if idle or len(set(self.floors)) < len(self.floors):
            raise ValueError(
                f"search.floors is {self.floors!r}; use each share once, all above "
                f"minimum_confidence_threshold, {self.minimum_confidence_threshold}"
            )
        if self.strategy == "minimal" and self.curve_steps:
            raise ValueError(f"search.curve_steps is {self.curve_steps}; the strategy minimal ranks no pixels, use 0")

    def as_dict(self) -> dict[str, Any]:
        """The parameters as plain values, for a fingerprint or a log."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["floors"] = [float(share) for share in self.floors]
        if isinstance(self.baseline, Mapping):
            values["baseline"] = dict(self.baseline)
        elif not isinstance(self.baseline, (str, int, float)):
            values["baseline"] = [float(value) for value in self.baseline]
        return values


_SEEDS = 2**32
"""Seeds of NumPy's `RandomState`, of which `cuts: rex` takes one an iteration."""

_CHOICES = {
    "strategy": tuple(STRATEGIES),
    "ranking": tuple(RANKINGS),
    "cuts": tuple(CUTS),
    "queue_style": ("area", "intersection", "all", "dc"),
    "responsibility_style": ("multiplicative", "additive"),
    "several_by": tuple(SEVERAL),
}
_WHOLE_NUMBERS = {
    "seed": 0,
    "iterations": 1,
    "tree_depth": 1,
    "min_box_size": 1,
    "chunk_size": 1,
    "queue_len": 1,
    "granularity": 1,
    "several": 1,
    "curve_steps": 0,
}
_SHARES = (
    "confidence_filter",
    "minimum_confidence_threshold",
    "confidence_floor",
    "contrastive_threshold",
    "overlap",
)


def _one_of(name: str, value: object, choices: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"search.{name} is {value!r}; use one of {', '.join(choices)}")


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"search.{name} is {value!r}; use a whole number, {least} or more")


def _number(name: str, value: object, low: float, high: float) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not good:
        raise ValueError(f"search.{name} is {value!r}; use a number from {low} to {high}")
