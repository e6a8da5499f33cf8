"""Asks a model again about all that a record says of its sets: nothing of the search is trusted but the masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.proof.certificate import Check, ask_class_again, asked_again, certificate_holds
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.types import Classifier, Mps, MpsRecord, Search

Claim = tuple[str, float, Mps]
"""A set: what it is called, the share of the original confidence that was demanded of it, and the set."""


@dataclass(frozen=True)
class Verified:
    """What was asked again, and whether it holds; the reason says why not.

    `what`: `class`, `set`, `set at floor 0.5`, `further set 2`; and these with `, certificate` or `, contrast`.
    """

    key: str
    what: str
    holds: bool
    reason: str = ""


def verify_records(
    records: Iterable[tuple[MpsRecord, NDArray[np.float32]]],
    classifier: Classifier,
    config: SearchConfig,
    in_flight: int = 8,
    baseline_image: NDArray[np.float32] | None = None,
) -> Iterator[list[Verified]]:
    """Yield a list for each record, in their order: its class, sets and certificates, each question asked alone.

    Args:
        records: records and the images (c, h, w) float32 that they are of, as they were searched. Read lazily. One
            without a set has an empty list.
        classifier: the model that was searched.
        config: the search's parameters.
        in_flight: records verified at the same time.
        baseline_image: (c, h, w) float32 for `baseline: image`.

    Raises:
        ValueError: a mask is not as large as its image; a baseline image that is missing or does not fit.
    """

    def jobs() -> Iterator[Job[list[Verified]]]:
        for record, pixels in records:
            shape = (pixels.shape[1], pixels.shape[2])
            for _, _, mps in _claims(record, config):
                if mps.mask.shape != shape:
                    raise ValueError(f"image {record.key!r}: a mask is {mps.mask.shape}, the image {shape}")
            picture = baseline_picture(pixels, config.baseline, Surroundings(record.key, config.seed, baseline_image))
            yield Job(picture, _verify(record, config, Inquiry(config, shape, record.key)))

    return run_searches(jobs(), classifier, in_flight)


def _verify(record: MpsRecord, config: SearchConfig, inquiry: Inquiry) -> Search[list[Verified]]:
    claims = _claims(record, config)
    if not claims:
        return []
    lost = yield from ask_class_again(record, inquiry)
    if lost:
        return [Verified(record.key, "class", False, lost)]
    found = [Verified(record.key, "class", True)]
    for name, share, mps in claims:
        inquiry.share = share
        alone = yield from asked_again(Masks(inquiry.shape, masks=mps.mask[None]), inquiry)
        passes = bool(inquiry.passes(alone)[0])
        found.append(Verified(record.key, name, passes, "" if passes else "the set does not pass alone"))
        if mps.certificate is not None:
            check = yield from certificate_holds(mps.mask, mps.certificate, inquiry)
            found.append(Verified(record.key, f"{name}, certificate", check.holds, check.reason))
        if mps.contrast is not None:
            check = yield from _contrast_holds(mps, inquiry)
            found.append(Verified(record.key, f"{name}, contrast", check.holds, check.reason))
    return found


def _claims(record: MpsRecord, config: SearchConfig) -> list[Claim]:
    """Every set of a record."""
    share = config.minimum_confidence_threshold
    claims: list[Claim] = []
    if record.mask is not None:
        claims.append(("set", share, Mps(record.mask, record.confidence, record.certificate, record.contrast)))
    claims += [(f"set at floor {at.share:g}", at.share, at.mps) for at in record.floors if at.mps is not None]
    claims += [(f"further set {number}", share, mps) for number, mps in enumerate(record.further, start=2)]
    return claims


def _contrast_holds(mps: Mps, inquiry: Inquiry) -> Search[Check]:
    """Whether the image without the set has the class that was said."""
    without = yield Masks(inquiry.shape, alone=True, masks=~mps.mask[None])
    label = int(without.labels[0])
    return Check(label == mps.contrast, "" if label == mps.contrast else f"without the set the class is {label}")
