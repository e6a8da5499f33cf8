"""What a search is: the parameters that all searches share, and the strategy with its own.

It knows every dictionary of choices. What lies below knows `Terms`, of which this is one, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mps_study.mps.baselines import Baseline, checked_baseline
from mps_study.mps.common.answers import unknown, unread
from mps_study.mps.common.choices import Choices, all_names, choice, choices_in, chosen, flat, kind_of, taken_by
from mps_study.mps.common.fields import TAKE, flag, number, taken, whole
from mps_study.mps.common.terms import LABEL, NEEDS_FLOOR, Terms
from mps_study.mps.common.values import changed_values_of, values_of
from mps_study.mps.several import SEVERAL, Several
from mps_study.mps.strategies import STRATEGIES
from mps_study.mps.strategy import Strategy
from mps_study.mps.tiled.pruned import Pruned


@dataclass(frozen=True, init=False)
class SearchConfig(Terms):
    """Every parameter that can change a mask. Defaults are ReX's, as the paper used them.

    A choice (`strategy`, its `ranking`, `several_by`) is a name, a mapping of `kind` and arguments, or an object:
    `"minimal"`, `{"kind": "minimal", "granularity": 2}`, `Minimal(granularity=2)`. The parameters of a chosen name may
    also be given beside it: `SearchConfig("minimal", granularity=2)`.

    Args:
        strategy: how the set is found; a key of `mps_study.mps.strategies.STRATEGIES`.
        seed: the one source of chance, not negative.
        minimum_confidence_threshold: the final set passes only with this share of the original confidence.
        confidence_floor: the final set passes only with this confidence, whatever the original one.
        floors: shares of the original confidence, above `minimum_confidence_threshold`, at which sets are found as
            well (all strategies but `contrastive` and `complete`).
        budget: most evaluations for one image; None for no limit. A search that it ends has spent it, and leaves the
            smallest set that passed by then. Replies asked again because of a narrow margin are not counted, as in
            `MpsRecord.evaluations`.
        margin_tolerance: a reply whose two best logits are nearer than this is asked again, alone.
        target: the class that a set must keep: `top-1`, the model's answer to the whole image; `label`, the one that
            the image was given; the name or index of a class. A class that is not on top passes by its share of the
            confidence, so that a floor is needed (`minimum_confidence_threshold` or `confidence_floor` above 0).
        anytime: keep how small the smallest set was after how many evaluations (`MpsRecord.area_after`). The record is
            otherwise the same; the evaluations for this alone are counted apart (`Anytime.checks`).
        several: sets of one image that are looked for, the first included (all strategies but `contrastive` and
            `complete`).
        several_by: how; a key of `mps_study.mps.several.SEVERAL`.
        overlap: the largest Dice coefficient of two of them; 0 for disjoint sets.
        baseline: what a pixel that is not kept becomes, after normalisation: a number, one number a channel,
            a key of `mps_study.mps.baselines.BASELINES`, or such a `kind` with its arguments.
        keep_landscape: store the responsibility map with the record.
        prune: make every set smaller until it can spare none of its tiles, with the certificate of that, whatever
            strategy found it (all but `contrastive` and `complete`, whose sets must be more than sufficient).
        prune_granularity: side in pixels of the tiles that are then deleted.

    Example:
        >>> SearchConfig("minimal", granularity=2) == SearchConfig({"kind": "minimal", "granularity": 2})
        True
        >>> SearchConfig("minimal", iterations=3)
        Traceback (most recent call last):
        ValueError: ...

    Raises:
        ValueError: naming the parameter, what arrived and what is allowed; a parameter that the chosen strategy does
            not read; one that is given twice.
    """

    strategy: Strategy = choice("rex", STRATEGIES, Strategy)
    several: int = whole(1, least=1)
    several_by: Several = choice("forbidding", SEVERAL, Several)
    overlap: float = number(0.0, 0.0, 1.0)
    baseline: Baseline = taken(0.0, lambda _, value: checked_baseline(value))
    keep_landscape: bool = flag(False)
    prune: bool = flag(False)
    prune_granularity: int = whole(4, least=1)

    def __init__(self, strategy: str | Mapping[str, Any] | Strategy = "rex", **parameters: Any) -> None:
        loose = {"strategy": strategy, **parameters}
        given = {each.name: loose.pop(each.name, each.default) for each in fields(self)}
        for name in (name for name in given if name not in _CHOICES):
            self._take(name, given[name])
        for name, choices in _CHOICES.items():
            offered = {} if name == "several_by" and self.several == 1 else loose
            self._take(name, chosen(name, given[name], choices, offered))
            read = taken_by(given[name], choices, offered)
            loose = {each: value for each, value in loose.items() if each not in read}
        known = self.names()
        for name in loose:
            raise ValueError(unread(name, self.strategy, STRATEGIES) if name in known else unknown(name, known))
        self._check_together()

    def _take(self, name: str, value: object) -> None:
        """Set a parameter, checked by its own rule."""
        rule = self.__dataclass_fields__[name].metadata[TAKE]
        object.__setattr__(self, name, rule(name, value))

    def _check_together(self) -> None:
        """Raise ValueError where two parameters exclude each other."""
        if not self.strategy.asked_again:
            kind = kind_of(self.strategy, STRATEGIES)
            if self.floors:
                raise ValueError(f"search.floors is {list(self.floors)}; the strategy {kind} has no floor, use []")
            if self.several > 1:
                raise ValueError(f"search.several is {self.several}; the strategy {kind} finds one set, use 1")
            if self.prune:
                raise ValueError(
                    f"search.prune is true; a set of the strategy {kind} must do more than pass, use false"
                )
        self.strategy.fits(self)
        if self.target == LABEL and not self.has_floor:
            raise ValueError(f"search.target is {LABEL!r}; {NEEDS_FLOOR}")
        idle = any(share <= self.minimum_confidence_threshold for share in self.floors)
        if idle or len(set(self.floors)) < len(self.floors):
            raise ValueError(
                f"search.floors is {list(self.floors)}; use each share once, all above "
                f"minimum_confidence_threshold, {self.minimum_confidence_threshold}"
            )

    @property
    def finder(self) -> Strategy:
        """What finds the sets: the strategy, whose sets are pruned where that is wanted."""
        return Pruned(self.strategy, self.prune_granularity) if self.prune else self.strategy

    def as_dict(self) -> dict[str, Any]:
        """All parameters as plain values: those of all searches, and what the chosen parts read inside each choice."""
        return values_of(self)

    def identity(self) -> dict[str, Any]:
        """What makes its records others than those of another search: the strategy, and whatever is not at its default.

        A parameter that is added later, with a default that changes nothing, leaves it as it is; hence no default
        may change, unless `ENGINE_VERSION` is raised (docs/decisions/0009).
        """
        values = {"strategy": {"kind": kind_of(self.strategy, STRATEGIES)}} | changed_values_of(self)
        if self.budget is not None:  # it once was left unspent where a question was larger than what was left
            values["budget"] = {"evaluations": self.budget, "spent": "to its end"}
        if self.several == 1:
            values = {name: value for name, value in values.items() if name not in ("several_by", "overlap")}
        if not self.prune:
            values.pop("prune_granularity", None)
        return values

    @classmethod
    def names(cls) -> list[str]:
        """Every parameter that a search of any kind takes."""
        own = [each.name for each in fields(cls)]
        return list(dict.fromkeys(own) | all_names(STRATEGIES) | all_names(SEVERAL))


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of `below` with those of `above` in their place, whichever way each is written.

    Another strategy or ranking takes from below what it reads, and leaves the rest: `strategy: minimal` over ReX's
    parameters keeps the seed and drops the iterations. What stands in `above` stays, read or not.

    Raises:
        ValueError: a parameter is given twice in one of them.
    """
    lower, upper = flat(below, _LOOSE), flat(above, _LOOSE)
    if isinstance(lower.get("baseline"), Mapping) and isinstance(upper.get("baseline"), Mapping):
        kinds = {values["baseline"].get("kind", "") for values in (lower, upper)} - {""}
        upper |= {"baseline": {**lower["baseline"], **upper["baseline"]}} if len(kinds) < 2 else {}
    merged = lower | upper
    stale = _taken(lower) - _taken(merged) - upper.keys()
    return {name: value for name, value in merged.items() if name not in stale}


def flattened(search: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a search with those of its strategy and ranking beside them: one name, one value."""
    return flat(search, _LOOSE)


_CHOICES: dict[str, Choices] = choices_in(SearchConfig)
_LOOSE: dict[str, Choices] = {
    "strategy": STRATEGIES,
    **{name: each for part in STRATEGIES.values() for name, each in choices_in(part).items()},
}
"""The choices whose parameters may stand beside them, whatever else does."""


def _taken(search: Mapping[str, Any]) -> set[str]:
    """Names of the parameters that the chosen parts take when they are given beside them."""
    names = taken_by(search.get("strategy", "rex"), STRATEGIES, search)
    if search.get("several", 1) != 1:
        names |= taken_by(search.get("several_by", "forbidding"), SEVERAL, search)
    return names
