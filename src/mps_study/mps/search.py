"""One image -> its minimal sufficient pixel set.

Reads like the algorithm in the paper: ask for the class, build the responsibility map, rank the pixels, take the
shortest prefix that is sufficient. Every step asks through generators; nothing here calls a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.common.terms import NEEDS_FLOOR, TOP
from mps_study.mps.config import SearchConfig
from mps_study.mps.extras import with_extras
from mps_study.mps.inquiry import BudgetSpent, Inquiry
from mps_study.mps.mutants import Masks, Shape
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.types import (
    BASELINE,
    BELOW,
    BUDGET,
    FOUND,
    INVALID,
    STATUSES,
    TIED,
    UNREPEATABLE,
    UNSTABLE,
    Classifier,
    Found,
    Mps,
    MpsRecord,
    Search,
)


def extract_mps(
    images: Iterable[tuple[str, NDArray[np.float32]]],
    classifier: Classifier,
    config: SearchConfig,
    in_flight: int = 8,
    maps: Mapping[str, NDArray[np.float32]] | None = None,
    baseline_image: NDArray[np.float32] | None = None,
    targets: int | Mapping[str, int] | None = None,
) -> Iterator[MpsRecord]:
    """Yield one record an image, in the order of the images, as they are finished.

    The records do not depend on the classifier's batch size or workers, on `in_flight`, or on the other images.

    Args:
        images: (key, pixels) pairs; pixels (c, h, w) float32, preprocessed for the model. Read lazily: at most
            about `in_flight` are in memory.
        classifier: answers mutants; see `mps_study.OnnxClassifier`.
        config: the search's parameters.
        in_flight: images searched at the same time, to fill batches.
        maps: key -> (h, w) map by which pixels are ranked, for `ranking: given`.
        baseline_image: (c, h, w) float32, preprocessed, for `baseline: image`.
        targets: index of the class that the sets keep, or key -> index; an image that is not in the mapping keeps
            its top-1. Where a class is not on top, a floor is needed (see `SearchConfig.target`), or its record has
            the status `below`. None takes `config.target`, which then is `top-1` or an index.

    Raises:
        ValueError: an image that is not a finite float32 array (c, h, w); a map or baseline image that is missing or
            does not fit; `config.target` that is a name or `label`, and no `targets`.

    Example:
        >>> classifier = OnnxClassifier("model.onnx")  # doctest: +SKIP
        >>> for record in extract_mps([("photo", pixels)], classifier, SearchConfig()):  # doctest: +SKIP
        ...     print(record.key, record.status, record.area)
    """
    if targets is None and config.target != TOP:
        if isinstance(config.target, str):
            raise ValueError(
                f"search.target is {config.target!r}, but the search knows no names and no labels; pass `targets` to "
                "extract_mps, an index or key -> index"
            )
        targets = config.target

    def wanted(key: str) -> int | None:
        index = targets.get(key) if isinstance(targets, Mapping) else targets
        return None if index is None else int(index)

    def jobs() -> Iterator[Job[MpsRecord]]:
        for key, pixels in images:
            _check_pixels(key, pixels)
            picture = baseline_picture(pixels, config.baseline, Surroundings(key, config.seed, baseline_image))
            shape = (pixels.shape[1], pixels.shape[2])
            given_map = None if maps is None else maps.get(key)
            yield Job(picture, search_image(key, shape, config, given_map, wanted(key)))

    return run_searches(jobs(), classifier, in_flight)


def search_image(
    key: str,
    shape: Shape,
    config: SearchConfig,
    given_map: NDArray[np.float32] | None = None,
    wanted: int | None = None,
) -> Search[MpsRecord]:
    """The whole search for one image of `shape` (h, w), for its top-1 or the class that is wanted."""
    inquiry = Inquiry(config, shape, key, given_map)
    whole_passes = yield from _ask_whole_image(inquiry, wanted)
    if inquiry.target.label < 0:
        return _record(config, inquiry, INVALID)
    if inquiry.by_share and not config.has_floor:
        reason = f"the model's class is {inquiry.top}, not {wanted}; {NEEDS_FLOOR}"
        return replace(_record(config, inquiry, BELOW), reason=reason)
    if not whole_passes:
        return _record(config, inquiry, BELOW)
    try:
        baseline = yield from _ask_baseline(inquiry)
        first = yield from config.finder.find(inquiry)
        if (first.mps is None or first.mps.mask.all()) and not (yield from _whole_image_repeats(inquiry)):
            return _record(config, inquiry, UNREPEATABLE, replace(first, mps=None))
    except BudgetSpent:
        first = Found((yield from _best_verified(inquiry)))
        return _record(config, inquiry, TIED if inquiry.tied else BUDGET, first)
    status = UNSTABLE if first.mps is None else BASELINE if baseline == inquiry.target.label else FOUND
    record = _record(config, inquiry, TIED if inquiry.tied and first.mps is not None else status, first)
    inquiry.anytime = None
    return (yield from with_extras(record, config, inquiry, first))


def _ask_whole_image(inquiry: Inquiry, wanted: int | None) -> Search[bool]:
    """Sets the target, the class of the whole image or the wanted one, and its confidence; whether it passes itself."""
    reply = yield from inquiry.ask_anew(_whole_image(inquiry.shape, wanted))
    inquiry.aim(reply, wanted)
    inquiry.tied = reply.margins is not None and bool(reply.margins[0] <= inquiry.terms.margin_tolerance)
    return bool(inquiry.passes(inquiry.heard(reply))[0])


def _whole_image_repeats(inquiry: Inquiry) -> Search[bool]:
    """Whether the whole image passes once more. Only memory says so of a set that is all of it."""
    wanted = inquiry.target.label if inquiry.by_share else None
    return bool(inquiry.passes((yield from inquiry.ask_anew(_whole_image(inquiry.shape, wanted))))[0])


def _whole_image(shape: Shape, wanted: int | None) -> Masks:
    label = -1 if wanted is None else wanted
    return Masks(shape, label=label, target=label, masks=np.ones((1, *shape), dtype=bool))


def _ask_baseline(inquiry: Inquiry) -> Search[int]:
    """The label of the image of which nothing is kept."""
    nothing = np.zeros((1, *inquiry.shape), dtype=bool)
    reply = yield from inquiry.ask_alone(Masks(inquiry.shape, label=inquiry.target.label, masks=nothing))
    return int(reply.labels[0])


def _best_verified(inquiry: Inquiry) -> Search[Mps]:
    """The smallest set that has passed so far, if it passes alone as well; else the smallest that has passed alone.

    That is the whole image where there was no other.
    """
    inquiry.allowed = None  # each of them keeps only what it was asked with
    for candidate in (inquiry.candidate, inquiry.verified.mutant):
        with suppress(BudgetSpent):
            if candidate is not None and inquiry.passes(reply := (yield from inquiry.ask_alone(candidate)))[0]:
                return Mps(candidate.mask(0), float(reply.confidences[0]))
    return Mps(np.ones(inquiry.shape, dtype=bool), inquiry.target.confidence)


def _record(config: SearchConfig, inquiry: Inquiry, status: str, found: Found | None = None) -> MpsRecord:
    mps = None if found is None else found.mps
    anytime = inquiry.anytime.with_step(inquiry.evaluations, mps.pixels) if inquiry.anytime and mps else None
    return MpsRecord(
        key=inquiry.key,
        status=status,
        reason="" if status == FOUND else STATUSES[status],
        target=inquiry.target,
        mask=None if mps is None else mps.mask,
        confidence=float("nan") if mps is None else mps.confidence,
        calls=inquiry.calls,
        evaluations=inquiry.evaluations,
        landscape=found.landscape if found and config.keep_landscape else None,
        certificate=None if mps is None else mps.certificate,
        contrast=None if mps is None else mps.contrast,
        curves=found.curves if found else None,
        top=inquiry.top,
        anytime=anytime,
        soft=found.soft if found else None,
    )


def _check_pixels(key: str, pixels: NDArray[np.float32]) -> None:
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3 or pixels.dtype != np.float32:
        arrived = getattr(pixels, "dtype", type(pixels).__name__), getattr(pixels, "shape", "")
        raise ValueError(
            f"image {key!r}: expected a float32 array (channels, height, width), got {arrived[0]} {arrived[1]}"
        )
    if not np.isfinite(pixels).all():
        raise ValueError(f"image {key!r}: pixels must be finite, but some are NaN or infinite")
