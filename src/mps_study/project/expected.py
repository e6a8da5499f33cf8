"""What an image will cost in evaluations and bytes: from records of like searches, else from measured figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mps_study.mps.config import SearchConfig

RECORDS, MEASURED, DEFAULT, UNKNOWN = "records", "measured", "default", "unknown"
"""Where a figure comes from: records, a measurement on this machine, a figure of docs/cost.md; or it is not known."""

COSTS_ALIKE = ("seed", "keep_landscape", "margin_tolerance", "target")
"""Parameters of a search that leave its evaluations nearly as they are."""


@dataclass(frozen=True)
class Figure:
    """A number, the range in which it may lie, where it comes from, and a word on that; `value` is None if unknown."""

    value: float | None
    low: float | None
    high: float | None
    origin: str
    note: str = ""

    def times(self, factor: float) -> Figure:
        """The figure of so many."""
        low, value, high = (None if each is None else each * factor for each in (self.low, self.value, self.high))
        return Figure(value, low, high, self.origin, self.note)


def unknown(note: str) -> Figure:
    """What nobody has measured, and what would tell."""
    return Figure(None, None, None, UNKNOWN, note)


def exactly(value: float, origin: str, note: str = "") -> Figure:
    """A figure without a range."""
    return Figure(value, value, value, origin, note)


@dataclass(frozen=True)
class Known:
    """What the records of one model and search have cost.

    Args:
        model: its name.
        digest: of the model's file.
        identity: of the search, `SearchConfig.identity()`.
        evaluations: of each image that was searched.
        size: bytes of all its records.
    """

    model: str
    digest: str
    identity: Mapping[str, Any]
    evaluations: list[int]
    size: int


def expected_evaluations(search: SearchConfig, digest: str | None, known: Iterable[Known]) -> Figure:
    """Evaluations an image: of the same model by this search, or by one that costs alike; of others by these; else the
    strategy's default.

    The range is that of a mean: of one model two standard errors on each side, of several models their means.
    """
    sets = [each for each in known if each.evaluations]
    for same, alike in _like(search, digest):
        found = [each for each in sets if same(each)]
        if found:
            return _of_records(found, alike)
    limit = math.inf if search.budget is None else search.budget
    figure = default_evaluations(search)
    if figure.value is None:
        return figure if search.budget is None else Figure(None, None, limit, UNKNOWN, f"{figure.note}; at most budget")
    low, value, high = (min(limit, each or 0.0) for each in (figure.low, figure.value, figure.high))
    return Figure(value, low, high, figure.origin, figure.note)


def expected_bytes(search: SearchConfig, pixels: int | None, digest: str | None, known: Iterable[Known]) -> Figure:
    """Bytes of an image's record: as such records have; else no more than its masks and map are without compression."""
    sets = [each for each in known if each.evaluations]
    for same, alike in _like(search, digest)[:1]:
        found = [each for each in sets if same(each)]
        if found:
            mean = sum(each.size for each in found) / sum(len(each.evaluations) for each in found)
            return exactly(mean, RECORDS, alike)
    if pixels is None:
        return unknown("the size of the model's input is known once it is exported")
    masks = 1 + len(search.floors) + search.several - 1
    most = masks * pixels / 8 + (4 * pixels if search.keep_landscape else 0) + 4096
    return Figure(most, 0.0, most, DEFAULT, "at most: masks and maps before compression")


Same = Callable[[Known], bool]


def _like(search: SearchConfig, digest: str | None) -> list[tuple[Same, str]]:
    """Which records are like a search, the nearest first, and what is said of them."""
    identity, costs = search.identity(), _costs(search.identity())
    return [
        (lambda each: each.digest == digest and dict(each.identity) == identity, "this model and search"),
        (
            lambda each: each.digest == digest and _costs(each.identity) == costs,
            "this model, a search that costs alike",
        ),
        (lambda each: dict(each.identity) == identity, "this search of other models"),
        (lambda each: _costs(each.identity) == costs, "a search of other models that costs alike"),
    ]


def _costs(identity: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in identity.items() if name not in COSTS_ALIKE}


def _of_records(found: list[Known], alike: str) -> Figure:
    images = sum(len(each.evaluations) for each in found)
    means = [float(np.mean(each.evaluations)) for each in found]
    models = len({each.digest for each in found})
    if models > 1:
        note = f"{alike}: {images} images of {models} models"
        return Figure(float(np.mean(means)), min(means), max(means), RECORDS, note)
    together = np.concatenate([each.evaluations for each in found])
    mean = float(together.mean())
    error = 2 * float(together.std(ddof=1)) / math.sqrt(images) if images > 1 else mean
    return Figure(mean, max(0.0, mean - error), mean + error, RECORDS, f"{alike}: {images} images")


def default_evaluations(search: SearchConfig) -> Figure:
    """The figure of a strategy whose cost was measured, at these parameters; unknown for others."""
    identity = _costs(search.identity())
    strategy = dict(identity.pop("strategy"))
    kind = strategy.pop("kind")
    figure = None
    if kind in FIGURES:
        rule, strategy_may, search_may = FIGURES[kind]
        ranking = dict(strategy.pop("ranking", {}))
        usual = ranking.pop("kind", "responsibility") == "responsibility"
        told = usual and {*strategy, *ranking} <= strategy_may and identity.keys() <= search_may | {"budget"}
        figure = rule(search) if told else None
    return figure or unknown(f"no figure for {kind} with these parameters; records of a few images tell")


def _rex(search: SearchConfig) -> Figure:
    iterations = search.as_dict()["strategy"]["ranking"]["iterations"]
    of_floor = float(np.interp(search.minimum_confidence_threshold, (0, 0.5, 0.9), (1, 1.22, 1.62)))
    value = (700 + 78 * iterations) * of_floor * (1 + 0.25 * len(search.floors))
    return Figure(value, 0.65 * value, 1.5 * value, DEFAULT, OF_LITE0)


def _minimal(search: SearchConfig) -> Figure | None:
    floor, tile = search.minimum_confidence_threshold, search.as_dict()["strategy"]["granularity"]
    if (tile, floor) == (8, 0.5):
        return Figure(735, 165, 1310, DEFAULT, OF_LITE0)
    value = float(np.interp(floor, (0, 0.5, 0.9), (760, 1340, 1950)))
    return Figure(value, 0.8 * value, 1.4 * value, DEFAULT, OF_LITE0) if tile == 4 else None


def _group_testing(search: SearchConfig) -> Figure | None:
    floor, tile = search.minimum_confidence_threshold, search.as_dict()["strategy"]["granularity"]
    figures = {(4, 0.0): (600, 460, 840), (4, 0.5): (960, 800, 1340)}
    known = figures.get((tile, floor))
    return None if known is None else Figure(*known, DEFAULT, OF_LITE0)


OF_LITE0 = "EfficientNet-Lite0; range of means over 10 to 40 images"

FIGURES: dict[str, tuple[Callable[[SearchConfig], Figure | None], set[str], set[str]]] = {
    "rex": (_rex, {"iterations", "cuts"}, {"floors", "minimum_confidence_threshold"}),
    "minimal": (_minimal, {"granularity"}, {"minimum_confidence_threshold"}),
    "group_testing": (_group_testing, {"granularity"}, {"minimum_confidence_threshold"}),
}
"""Strategy -> what it was measured to cost, and the parameters, of the strategy and of all searches, that may be other
than their defaults for that. docs/cost.md says on what each number stands."""
