"""What a search takes and gives: small frozen dataclasses, one vocabulary for the whole engine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mps_study.mps.mutants import Mutants

ENGINE_VERSION = 1
"""Raised whenever a change of the engine can change a mask; part of every fingerprint."""

FOUND = "found"
BASELINE = "baseline"
BUDGET = "budget"
UNSTABLE = "unstable"
BELOW = "below"
INVALID = "invalid"
FAILED = "failed"
STATUSES = {
    FOUND: "a sufficient set was found and passed alone",
    BASELINE: "the baseline alone already gives the class; the set is what the strategy makes of it",
    BUDGET: "the budget of evaluations was spent; the set is the smallest one that passed alone by then",
    UNSTABLE: "no set passed when it was asked about alone",
    BELOW: "the whole image does not reach the confidence floor",
    INVALID: "the model's output for the whole image is not finite",
    FAILED: "the image could not be read",
}


@dataclass(frozen=True)
class SearchConfig:
    """Every parameter that can change a mask. Defaults are ReX's, as the paper used them.

    Args:
        strategy: how the set is found; a key of `mps_study.mps.search.STRATEGIES`.
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
        granularity: side in pixels of the tiles of which a minimal set can spare none (strategy `minimal`).
        budget: most evaluations for one image; None for no limit. Replies asked again because of a narrow
            margin are not counted, as in `MpsRecord.evaluations`.
        baseline: what a pixel that is not kept becomes, after normalisation: a number, one number a channel,
            or a key of `mps_study.mps.baselines.BASELINES`.
        margin_tolerance: a reply whose two best logits are nearer than this is asked again, alone.
        keep_landscape: store the responsibility map with the record.

    Raises:
        ValueError: naming the parameter, what arrived and what is allowed.
    """

    strategy: str = "rex"
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
    granularity: int = 4
    budget: int | None = None
    baseline: float | str | Sequence[float] = 0.0
    margin_tolerance: float = 1e-3
    keep_landscape: bool = False

    def __post_init__(self) -> None:
        _one_of("cuts", self.cuts, ("rex", "fraction"))
        _one_of("queue_style", self.queue_style, ("area", "intersection", "all", "dc"))
        _one_of("responsibility_style", self.responsibility_style, ("multiplicative", "additive"))
        _whole("seed", self.seed, 0)
        for name in ("iterations", "tree_depth", "min_box_size", "chunk_size", "queue_len", "granularity"):
            _whole(name, getattr(self, name), 1)
        if self.budget is not None:
            _whole("budget", self.budget, 1)
        for name in ("confidence_filter", "minimum_confidence_threshold", "confidence_floor"):
            _number(name, getattr(self, name), 0.0, 1.0)
        _number("margin_tolerance", self.margin_tolerance, 0.0, 10.0)
        for name in ("weighted", "keep_landscape"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"search.{name} is {getattr(self, name)!r}; use true or false")
        from mps_study.mps.baselines import check_baseline
        from mps_study.mps.search import STRATEGIES

        _one_of("strategy", self.strategy, tuple(STRATEGIES))
        check_baseline(self.baseline)

    def as_dict(self) -> dict[str, Any]:
        """The parameters as plain values, for a fingerprint or a log."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if not isinstance(self.baseline, (str, int, float)):
            values["baseline"] = [float(value) for value in self.baseline]
        return values


@dataclass(frozen=True)
class Target:
    """The class that a set must keep: the model's top-1 on the whole image, and its confidence in [0, 1]."""

    label: int
    confidence: float


@dataclass(frozen=True)
class Reply:
    """What the model says of n mutants.

    Args:
        labels: (n,) int, the top-1 class; -1 where the output was not finite.
        confidences: (n,) float32, softmax of the top-1 class.
        margins: (n,) float32, distance of the two best logits; None when the classifier is exact.
        log_odds: (n,) float32, logit of the softmax of the class `Mutants.label`, in nats: how near a mutant that
            fails is to passing. None, or NaN where no class was named, when the classifier does not say.
    """

    labels: NDArray[np.int64]
    confidences: NDArray[np.float32]
    margins: NDArray[np.float32] | None = None
    log_odds: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Picture:
    """One preprocessed image: `pixels` (c, h, w) float32 and a `baseline` that broadcasts to it."""

    pixels: NDArray[np.float32]
    baseline: NDArray[np.float32]


@dataclass(frozen=True)
class Certificate:
    """Why a set is called minimal: each of its tiles was deleted by itself, and every time the set failed.

    Args:
        granularity: side of the tiles in pixels; they start at the top left corner of the input.
        floor: the confidence that was demanded, in [0, 1]; 0 where the class alone decided.
        deletions: single-tile deletions that were tested, all failing: the number of tiles in the set.
    """

    granularity: int
    floor: float
    deletions: int


@dataclass(frozen=True)
class Mps:
    """A sufficient set: `mask` (h, w) bool, True = kept, and the confidence of the class with it alone.

    `certificate` if the set was shown to be minimal.
    """

    mask: NDArray[np.bool_]
    confidence: float
    certificate: Certificate | None = None


@dataclass(frozen=True)
class MpsRecord:
    """What one search found about one image.

    Args:
        key: the image's id.
        status: a key of `STATUSES`; `reason` says more when it is not `found`.
        target: the model's answer to the whole image.
        mask: (h, w) bool, True = kept; None without a set.
        confidence: of the target class, from the set alone in a batch of one; NaN without a set.
        calls: mutants the strategy asked about in its own order, as rex-xai counts its model calls.
        evaluations: mutants the model evaluated: calls without repetitions, plus the whole image, the
            baseline, the final check, and prefixes asked ahead. Questions repeated alone because of a
            narrow margin are not counted, so that the number is the same on every machine.
        landscape: (h, w) float32 responsibility, if it was kept.
        certificate: that the set is minimal; None unless the strategy is `minimal` and its budget sufficed.
    """

    key: str
    status: str
    reason: str
    target: Target
    mask: NDArray[np.bool_] | None
    confidence: float
    calls: int
    evaluations: int
    landscape: NDArray[np.float32] | None = None
    certificate: Certificate | None = None

    @property
    def pixels(self) -> int | None:
        """Number of pixels kept; None without a set."""
        return None if self.mask is None else int(self.mask.sum())

    @property
    def area(self) -> float:
        """Share of the input's pixels that are kept, in [0, 1]; NaN without a set."""
        return float("nan") if self.mask is None else float(self.mask.mean())


@dataclass(frozen=True)
class Slice:
    """Rows `start` to `stop` of one search's question, on their way into a batch."""

    picture: Picture
    mutants: Mutants
    start: int
    stop: int


class Classifier(Protocol):
    """Answers mutants; `OnnxClassifier` is the real one."""

    @property
    def batch_size(self) -> int:
        """Most mutants in one call."""

    @property
    def workers(self) -> int:
        """Calls that may run at the same time."""

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Reply to the slices' rows, one after the other."""


T = TypeVar("T")
Search = Generator["Mutants", Reply, T]
"""A search yields mutants, is sent the reply to them, and returns T. It never calls a model."""


def _one_of(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"search.{name} is {value!r}; use one of {', '.join(choices)}")


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"search.{name} is {value!r}; use a whole number, {least} or more")


def _number(name: str, value: object, low: float, high: float) -> None:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not good:
        raise ValueError(f"search.{name} is {value!r}; use a number from {low} to {high}")
