"""What a search takes and gives: small frozen dataclasses, one vocabulary for the whole engine."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.anytime import Anytime
from mps_study.mps.mutants import Mutants, Picture

ENGINE_VERSION = 3
"""Raised whenever a change of the engine, or of a default, can change a mask or a status; in every fingerprint."""

FOUND = "found"
BASELINE = "baseline"
BUDGET = "budget"
TIED = "tied"
UNREPEATABLE = "unrepeatable"
UNSTABLE = "unstable"
BELOW = "below"
INVALID = "invalid"
FAILED = "failed"
STATUSES = {
    FOUND: "a sufficient set was found and passed alone",
    BASELINE: "the baseline alone already gives the class; the set is what the strategy makes of it",
    BUDGET: "the budget of evaluations was spent; the set is the smallest one that passed alone by then",
    TIED: "the two best classes of the whole image lie within rounding of each other; the set keeps one of them",
    UNREPEATABLE: "the whole image, asked about again, did not keep its own class",
    UNSTABLE: "no set passed when it was asked about alone",
    BELOW: "the whole image does not reach the confidence floor",
    INVALID: "the model's output for the whole image is not finite",
    FAILED: "the image could not be read",
}


@dataclass(frozen=True)
class Target:
    """The class that a set must keep, and its confidence from the whole image, in [0, 1].

    It is the model's top-1 on the whole image, unless another class was asked for.

    Example:
        >>> Target(label=207, confidence=0.93).label
        207
    """

    label: int
    confidence: float


@dataclass(frozen=True)
class Reply:
    """What the model says of n mutants.

    Args:
        labels: (n,) int, the top-1 class; -1 where the output was not finite.
        confidences: (n,) float32, softmax of the top-1 class.
        margins: (n,) float32, how far the decision is from another one: where `Mutants.target` names a class, the
            distance of its logit to the best other one, else that of the two best logits. None when the classifier
            is exact.
        log_odds: (n,) float32, logit of the softmax of the class `Mutants.label`, in nats: how near a mutant that
            fails is to passing. None, or NaN where no class was named, when the classifier does not say.
        tolerance: how far margins can be from those of the same mutants asked alone, as was measured for this model
            and device; 0 where it is not known, or the mutants were asked alone.
    """

    labels: NDArray[np.int64]
    confidences: NDArray[np.float32]
    margins: NDArray[np.float32] | None = None
    log_odds: NDArray[np.float32] | None = None
    tolerance: float = 0.0


@dataclass(frozen=True)
class Certificate:
    """Why a set is called minimal: each of its tiles was deleted by itself, and every time the set failed.

    Args:
        granularity: side of the tiles in pixels; they start at the top left corner of the input.
        floor: the confidence that was demanded, in [0, 1]; 0 where the class alone decided.
        deletions: single-tile deletions that were tested, all failing: the number of tiles in the set.

    Example:
        >>> Certificate(granularity=4, floor=0.0, deletions=3).deletions
        3
    """

    granularity: int
    floor: float
    deletions: int


@dataclass(frozen=True)
class Mps:
    """A sufficient set: `mask` (h, w) bool, True = kept, and the confidence of the class with it alone.

    `certificate` if the set was shown to be minimal. `contrast`: the class of the image without the set, if asked.

    Example:
        >>> Mps(np.eye(4, dtype=bool), confidence=0.7).pixels
        4
    """

    mask: NDArray[np.bool_]
    confidence: float
    certificate: Certificate | None = None
    contrast: int | None = None

    @property
    def pixels(self) -> int:
        """Number of pixels kept."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class Curves:
    """Confidence of the target class along a ranking, at k + 1 shares of the pixels from 0 to 1.

    Args:
        shares: (k + 1,) float64, of the pixels that are kept (`insertion`) or removed (`deletion`).
        insertion: (k + 1,) float32, with only the first pixels kept.
        deletion: (k + 1,) float32, with the first pixels removed.

    Example:
        >>> curves = Curves(np.array([0, 0.5, 1]), np.array([0, 1, 1], "f4"), np.array([1, 0, 0], "f4"))
        >>> curves.insertion_area, curves.deletion_area
        (0.75, 0.25)
    """

    shares: NDArray[np.float64]
    insertion: NDArray[np.float32]
    deletion: NDArray[np.float32]

    @property
    def insertion_area(self) -> float:
        """Area under the insertion curve, in [0, 1]; the larger, the better the ranking."""
        return float(np.trapezoid(self.insertion, self.shares))

    @property
    def deletion_area(self) -> float:
        """Area under the deletion curve, in [0, 1]; the smaller, the better the ranking."""
        return float(np.trapezoid(self.deletion, self.shares))


@dataclass(frozen=True)
class AtFloor:
    """The set found when this `share` of the original confidence, that is `floor`, was demanded; None if none was.

    `asked` is False where the budget was spent before.

    Example:
        >>> half = AtFloor(share=0.5, floor=0.4, mps=Mps(np.ones((2, 2), dtype=bool), confidence=0.45))
        >>> half.mps.confidence >= half.floor
        True
    """

    share: float
    floor: float
    mps: Mps | None
    asked: bool = True


@dataclass(frozen=True)
class SoftSet:
    """A set that keeps shares of pixels: `weight`, the mean share in [0, 1], and the confidence of the class with it.

    The rest of each pixel is the baseline. No MPS, but what a method that blends its mutants calls its set.
    """

    weight: float
    confidence: float


@dataclass(frozen=True)
class Found:
    """What a strategy found: a set, the map that it was read from, and that map's curves; None where there is none.

    `others`: further sets, where the strategy finds several at once; `soft`: the set as the method itself has it.
    """

    mps: Mps | None
    landscape: NDArray[np.float32] | None = None
    curves: Curves | None = None
    others: tuple[Mps, ...] = ()
    soft: SoftSet | None = None


@dataclass(frozen=True)
class MpsRecord:
    """What one search found about one image.

    Args:
        key: the image's id.
        status: a key of `STATUSES`; `reason` says more when it is not `found`.
        target: the class that the set keeps, and its confidence from the whole image.
        mask: (h, w) bool, True = kept; None without a set.
        confidence: of the target class, from the set alone in a batch of one; NaN without a set.
        calls: mutants the strategy asked about in its own order, as rex-xai counts its model calls.
        evaluations: mutants the model evaluated: calls without repetitions, plus the whole image, the
            baseline, the final check, and prefixes asked ahead. Questions repeated alone because of a
            narrow margin are not counted, so that the number is the same on every machine.
        landscape: (h, w) float32 responsibility, if it was kept.
        certificate: that the set is minimal; None unless the strategy shows that, or `SearchConfig.prune`, and the
            budget sufficed.
        contrast: the class of the image without the set; None unless the strategy asks for it.
        dilation_survives: whether the set still passes when it grows by one pixel up, down, left and right; None
            without a set.
        floors: the sets at `SearchConfig.floors`, in their order.
        further: other sets of the same image in the order in which they were found (`SearchConfig.several`; else
            those that the strategy finds beside its own).
        curves: insertion and deletion along the ranking (`curve_steps`).
        top: the model's top-1 on the whole image, where another class was asked for; None where the target is it.
        anytime: how small the set was by then, as the search for it went on (`SearchConfig.anytime`); None unless
            that was asked for and there is a set.
        soft: the set from which that one was cut, where the strategy blends its mutants; passed alone as well.

    Example:
        >>> mask = np.zeros((8, 8), dtype=bool)
        >>> mask[2:4, 2:4] = True
        >>> record = MpsRecord("photo", "found", "", Target(3, 0.9), mask, 0.6, calls=40, evaluations=42)
        >>> record.pixels, record.area, record.answer
        (4, 0.0625, 3)
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
    contrast: int | None = None
    dilation_survives: bool | None = None
    floors: tuple[AtFloor, ...] = ()
    further: tuple[Mps, ...] = ()
    curves: Curves | None = None
    top: int | None = None
    anytime: Anytime | None = None
    soft: SoftSet | None = None

    @property
    def answer(self) -> int:
        """The model's top-1 on the whole image; -1 where it has none."""
        return self.target.label if self.top is None else self.top

    @property
    def pixels(self) -> int | None:
        """Number of pixels kept; None without a set."""
        return None if self.mask is None else int(self.mask.sum())

    @property
    def area(self) -> float:
        """Share of the input's pixels that are kept, in [0, 1]; NaN without a set."""
        return float("nan") if self.mask is None else float(self.mask.mean())

    def area_after(self, evaluations: int) -> float:
        """Share of the pixels, in [0, 1], of the smallest set that was verified by then; NaN without `anytime`."""
        return float("nan") if self.anytime is None else self.anytime.area_after(evaluations)


@dataclass(frozen=True)
class Slice:
    """Rows `start` to `stop` of one search's question, on their way into a batch."""

    picture: Picture
    mutants: Mutants
    start: int
    stop: int


class Classifier(Protocol):
    """Answers mutants; `OnnxClassifier` is the real one.

    One that can answer questions which must be alone beside its batches, on a thread of their own, has a
    `classify_alone`, too: like `classify`, but each row is evaluated in a batch of one.

    Example:
        >>> class Bright:  # two classes, dark and bright, told by the mean of what is painted
        ...     batch_size, workers = 16, 1
        ...     def classify(self, batch):
        ...         painted = []
        ...         for part in batch:
        ...             for row in range(part.start, part.stop):
        ...                 painted.append(np.empty_like(part.picture.pixels))
        ...                 part.mutants.paint(row, part.picture, painted[-1])
        ...         means = np.array([each.mean() for each in painted])
        ...         confidences = np.maximum(means, 1 - means).astype(np.float32)
        ...         return Reply((means > 0.3).astype(np.int64), confidences)
        >>> white = np.ones((3, 16, 16), dtype=np.float32)
        >>> (record,) = extract_mps([("white", white)], Bright(), SearchConfig("minimal", granularity=4))
        >>> record.target.label, record.pixels
        (1, 80)
    """

    @property
    def batch_size(self) -> int:
        """Most mutants in one call."""

    @property
    def workers(self) -> int:
        """Calls that may run at the same time."""

    def classify(self, batch: Sequence[Slice]) -> Reply:
        """Reply to the slices' rows, one after the other."""


T = TypeVar("T")
Search = Generator[Mutants, Reply, T]
"""A search yields mutants, is sent the reply to them, and returns T. It never calls a model."""
