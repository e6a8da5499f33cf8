"""One image -> its minimal sufficient pixel set.

Reads like the algorithm in the paper: ask for the class, build the responsibility map, rank the pixels, take the
shortest prefix that is sufficient. Every step asks through generators; nothing here calls a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.baselines import baseline_picture
from mps_study.mps.certificate import certify
from mps_study.mps.growth import consider, grow, remember
from mps_study.mps.inquiry import BudgetSpent, Inquiry
from mps_study.mps.mutants import Masks, Shape
from mps_study.mps.pruning import prune
from mps_study.mps.rankings import RANKINGS, by_value
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.sufficiency import floor, passes, passing_edge, shortest_prefix
from mps_study.mps.tiles import grid, sizes_of_tiles
from mps_study.mps.types import (
    BASELINE,
    BELOW,
    BUDGET,
    FOUND,
    INVALID,
    STATUSES,
    UNSTABLE,
    Classifier,
    Mps,
    MpsRecord,
    Search,
    SearchConfig,
    Target,
)

Found = tuple[Mps | None, NDArray[np.float32] | None]
"""A strategy's set, None if there is none, and the map that it was read from, if any."""


def extract_mps(
    images: Iterable[tuple[str, NDArray[np.float32]]],
    classifier: Classifier,
    config: SearchConfig,
    in_flight: int = 8,
) -> Iterator[MpsRecord]:
    """Yield one record an image, in the order of the images, as they are finished.

    The records do not depend on the classifier's batch size or workers, on `in_flight`, or on the other images.

    Args:
        images: (key, pixels) pairs; pixels (c, h, w) float32, preprocessed for the model. Read lazily: at most
            about `in_flight` are in memory.
        classifier: answers mutants; see `mps_study.OnnxClassifier`.
        config: the search's parameters.
        in_flight: images searched at the same time, to fill batches.

    Raises:
        ValueError: an image that is not a finite float32 array (c, h, w).

    Example:
        >>> classifier = OnnxClassifier("model.onnx")  # doctest: +SKIP
        >>> for record in extract_mps([("photo", pixels)], classifier, SearchConfig()):  # doctest: +SKIP
        ...     print(record.key, record.status, record.area)
    """

    def jobs() -> Iterator[Job[MpsRecord]]:
        for key, pixels in images:
            _check_pixels(key, pixels)
            picture = baseline_picture(pixels, config.baseline)
            shape = (pixels.shape[1], pixels.shape[2])
            yield Job(picture, search_image(key, shape, config))

    return run_searches(jobs(), classifier, in_flight)


def search_image(key: str, shape: Shape, config: SearchConfig) -> Search[MpsRecord]:
    """The whole search for one image of `shape` (h, w)."""
    inquiry = Inquiry(config)
    whole_passes = yield from _ask_whole_image(inquiry, shape)
    if inquiry.target.label < 0:
        return _record(key, inquiry, INVALID)
    if not whole_passes:
        return _record(key, inquiry, BELOW)
    try:
        baseline = yield from _ask_baseline(inquiry, shape)
        mps, landscape = yield from STRATEGIES[config.strategy](inquiry, shape, key)
    except BudgetSpent:
        mps = yield from _best_verified(inquiry, shape)
        return _record(key, inquiry, BUDGET, mps)
    found = BASELINE if baseline == inquiry.target.label else FOUND
    return _record(key, inquiry, UNSTABLE if mps is None else found, mps, landscape)


def _ask_whole_image(inquiry: Inquiry, shape: Shape) -> Search[bool]:
    """Sets the target, the class of the whole image and its confidence; whether it passes itself."""
    reply = yield from inquiry.ask_alone(Masks(shape, masks=np.ones((1, *shape), dtype=bool)))
    inquiry.target = Target(int(reply.labels[0]), float(reply.confidences[0]))
    config = inquiry.config
    edges = []
    if floor(inquiry) > 0:
        edges.append(passing_edge(inquiry))
    if config.confidence_filter > 0:
        edges.append(inquiry.target.confidence * config.confidence_filter)
    inquiry.edges = tuple(edges)
    return bool(passes(reply, inquiry)[0])


def _ask_baseline(inquiry: Inquiry, shape: Shape) -> Search[int]:
    """The label of the image of which nothing is kept."""
    nothing = np.zeros((1, *shape), dtype=bool)
    reply = yield from inquiry.ask_alone(Masks(shape, label=inquiry.target.label, masks=nothing))
    return int(reply.labels[0])


def _best_verified(inquiry: Inquiry, shape: Shape) -> Search[Mps]:
    """The smallest set that has passed so far, if it passes alone as well; else the whole image, which has."""
    candidate = inquiry.candidate
    if candidate is not None:
        reply = yield from inquiry.ask_alone(candidate)
        if passes(reply, inquiry)[0]:
            return Mps(candidate.mask(0), float(reply.confidences[0]))
    return Mps(np.ones(shape, dtype=bool), inquiry.target.confidence)


def rex(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """ReX's global explanation: the shortest sufficient prefix of the pixels ranked by responsibility."""
    landscape = yield from RANKINGS["responsibility"](inquiry, shape, key)
    mps = yield from shortest_prefix(inquiry, by_value(landscape))
    return mps, landscape


def minimal(inquiry: Inquiry, shape: Shape, key: str) -> Search[Found]:
    """A sufficient set of tiles that can spare none of them, with its certificate.

    From coarse tiles to fine: grow a set out of nothing inside the last one, and where that finds nothing smaller,
    prune the last one. Tiles of the granularity are pruned until none can be deleted. The empty set if the baseline
    alone passes.
    """
    nothing = grid(shape, inquiry.config.granularity).nothing()
    passing, _ = yield from consider(inquiry, grid(shape, inquiry.config.granularity), nothing[None])
    if passing[0]:
        return (yield from certify(inquiry, shape, nothing)), None
    sizes = sizes_of_tiles(shape, inquiry.config.granularity)
    tiles = grid(shape, sizes[0].pixels)
    kept, promise = tiles.whole(), np.zeros(tiles.tiles, dtype=np.int64)
    for size in sizes:
        coarser, tiles = tiles, grid(shape, size.pixels)
        last, promise = tiles.refine(kept, coarser), tiles.refine(promise, coarser)
        kept = last
        if size.growing_steps:
            kept, promise = yield from grow(inquiry, tiles, last, size.growing_steps)
        if np.array_equal(kept, last):
            kept, promise = yield from prune(inquiry, tiles, last, promise, minimal=not size.growing_steps)
        remember(inquiry, tiles, kept)
    return (yield from certify(inquiry, shape, kept)), None


STRATEGIES: dict[str, Callable[[Inquiry, Shape, str], Search[Found]]] = {"rex": rex, "minimal": minimal}


def _record(
    key: str,
    inquiry: Inquiry,
    status: str,
    mps: Mps | None = None,
    landscape: NDArray[np.float32] | None = None,
) -> MpsRecord:
    return MpsRecord(
        key=key,
        status=status,
        reason="" if status == FOUND else STATUSES[status],
        target=inquiry.target,
        mask=None if mps is None else mps.mask,
        confidence=float("nan") if mps is None else mps.confidence,
        calls=inquiry.calls,
        evaluations=inquiry.evaluations,
        landscape=landscape if inquiry.config.keep_landscape else None,
        certificate=None if mps is None else mps.certificate,
    )


def _check_pixels(key: str, pixels: NDArray[np.float32]) -> None:
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3 or pixels.dtype != np.float32:
        arrived = getattr(pixels, "dtype", type(pixels).__name__), getattr(pixels, "shape", "")
        raise ValueError(
            f"image {key!r}: expected a float32 array (channels, height, width), got {arrived[0]} {arrived[1]}"
        )
    if not np.isfinite(pixels).all():
        raise ValueError(f"image {key!r}: pixels must be finite, but some are NaN or infinite")
