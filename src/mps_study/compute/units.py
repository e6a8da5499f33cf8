"""How the work of a study is cut into units, and which of them comes first. Plain numbers: no files, no Dask.

A unit is some images, one after the other, of one model and search. Those whose images take longest come first, and a
unit is a fair share of what is left for each worker, so that units shrink as the end comes near and no worker is left
with a long one when all others are done. (Guided self-scheduling, dearest first.)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

MOST_IMAGES = 32
"""Images in a unit, at most."""

LONGEST_SECONDS = 120.0
"""Expected of a unit of several images, at most: what a killed worker loses."""

SHARES = 3
"""A unit is one of so many parts of what is left for each worker."""

EVALUATIONS = {"minimal": 900.0, "group_testing": 700.0}
"""Evaluations that an image is expected to take, by strategy, where no record says it."""

EVALUATIONS_ELSE = 2500.0
"""The same of every other strategy: about as many as ReX takes in the paper."""

BYTES_A_SECOND = 2e9
"""Weights read in a second, where a model's speed was never measured: larger models are slower. Seen on two CPU cores
(EfficientNet-Lite0: 100 evaluations/s of 19 MB); only the order of models, and the sizes of their first units, depend
on it."""


@dataclass(frozen=True)
class Load:
    """What is to be done of one model and search: `images` that each take so many `seconds` of one worker.

    `name` is that of the model and search (`common.searches.unit_name`).
    """

    name: str
    images: int
    seconds: float


@dataclass(frozen=True)
class Unit:
    """Images `start` to `stop` of those that a load has, in their order, and how long they are expected to take."""

    name: str
    start: int
    stop: int
    seconds: float


def seconds_of_an_image(
    strategy: str, evaluations: float | None = None, rate: float | None = None, model_bytes: float = 0.0
) -> float:
    """Seconds of one worker that an image is expected to take.

    Args:
        strategy: by its name.
        evaluations: of an image, on average, where it is known; else the strategy's usual number.
        rate: evaluations a second, where it was measured; else a guess from the model's size.
        model_bytes: of its weights.
    """
    expected = EVALUATIONS.get(strategy, EVALUATIONS_ELSE) if evaluations is None else evaluations
    return expected / (rate or BYTES_A_SECOND / max(model_bytes, 1e6))


def dearest_first(loads: Iterable[Load]) -> list[Load]:
    """Loads of which something is left, by seconds an image, the longest first; equal ones in their own order."""
    return sorted((load for load in loads if load.images), key=lambda load: -load.seconds)


def images_of_next(left: Iterable[Load], workers: int, of: Load) -> int:
    """How many images of a load the next unit has, with this much left to do by so many workers; at least 1."""
    total = sum(load.images * load.seconds for load in left)
    share = min(LONGEST_SECONDS, total / (SHARES * max(1, workers)))
    fitting = math.floor(share / of.seconds + 1e-9) if of.seconds > 0 else MOST_IMAGES
    return min(max(1, fitting), MOST_IMAGES, of.images)


def cut(loads: Sequence[Load], workers: int) -> Iterator[Unit]:
    """All units in the order in which they are handed out to so many workers, whoever is free taking the next."""
    left = dearest_first(loads)
    done = dict.fromkeys((load.name for load in left), 0)
    while left:
        first, *others = left
        images = images_of_next(left, workers, first)
        start = done[first.name]
        done[first.name] += images
        yield Unit(first.name, start, start + images, images * first.seconds)
        rest = replace(first, images=first.images - images)
        left = [rest, *others] if rest.images else others
