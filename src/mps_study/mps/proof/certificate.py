"""Checks the certificate of a minimal set against the model, from scratch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Cells, grid
from mps_study.mps.mutants import Masks, Mutants, Within
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.types import Certificate, Classifier, MpsRecord, Reply, Search

_SAME_FLOOR = 1e-3
"""Floors may differ by so much between machines."""


@dataclass(frozen=True)
class Check:
    """Whether a certificate holds; `reason` says why not."""

    holds: bool
    reason: str = ""


def check_certificate(
    record: MpsRecord,
    pixels: NDArray[np.float32],
    classifier: Classifier,
    config: SearchConfig,
    baseline_image: NDArray[np.float32] | None = None,
) -> Check:
    """Ask the model again, each question alone: the set passes, and no single tile can be deleted from it.

    Nothing of the search is trusted but the record's mask.

    Args:
        record: one that has a certificate. Its set is made of whole tiles, unless it was pruned (`SearchConfig.prune`).
        pixels: (c, h, w) float32, the image as it was searched.
        classifier: the model that was searched.
        config: the search's parameters.
        baseline_image: (c, h, w) float32 for `baseline: image`, as it was searched.

    Raises:
        ValueError: the record has no certificate, or its mask is not as large as the image; a baseline image that is
            missing or does not fit.
    """
    if record.mask is None or record.certificate is None:
        raise ValueError(f"image {record.key!r}: a record with status {record.status} has no certificate to check")
    if record.mask.shape != pixels.shape[1:]:
        raise ValueError(f"image {record.key!r}: the mask is {record.mask.shape}, the image {pixels.shape[1:]}")
    inquiry = Inquiry(config, (pixels.shape[1], pixels.shape[2]), record.key)
    search = _check(record, record.mask, record.certificate, inquiry, config.prune)
    surroundings = Surroundings(record.key, config.seed, baseline_image)
    return next(run_searches([Job(baseline_picture(pixels, config.baseline, surroundings), search)], classifier))


def _check(
    record: MpsRecord, mask: NDArray[np.bool_], stated: Certificate, inquiry: Inquiry, prune: bool
) -> Search[Check]:
    tiles = grid(inquiry.shape, stated.granularity)
    if not prune and not np.array_equal(tiles.mask(tiles.touched(mask)), mask):
        return Check(False, f"the set is not made of whole tiles of {stated.granularity} px")
    lost = yield from ask_class_again(record, inquiry)
    if lost:
        return Check(False, lost)
    return (yield from certificate_holds(mask, stated, inquiry))


def ask_class_again(record: MpsRecord, inquiry: Inquiry) -> Search[str]:
    """Aim at the record's class, as the whole image has it now; why it cannot be kept any more, else ""."""
    wanted = None if record.top is None else record.target.label
    label = -1 if wanted is None else wanted
    everything = np.ones((1, *inquiry.shape), dtype=bool)
    whole = yield Masks(inquiry.shape, alone=True, label=label, target=label, masks=everything)
    inquiry.aim(whole, wanted)
    if inquiry.target.label != record.target.label:
        return f"the model now gives class {inquiry.target.label}, not {record.target.label}"
    return ""


def asked_again(mutants: Mutants, inquiry: Inquiry) -> Search[Reply]:
    """The model's own reply to each mutant alone, as the search was told it."""
    target = inquiry.target.label
    alone = mutants.take(np.arange(len(mutants)), alone=True)
    reply = yield replace(alone, label=target if inquiry.by_share else -1, target=target)
    return inquiry.heard(reply)


def certificate_holds(mask: NDArray[np.bool_], stated: Certificate, inquiry: Inquiry) -> Search[Check]:
    """Whether a set (h, w) bool passes alone and without any of its tiles, or parts of tiles, does not.

    `inquiry` is aimed at the class, and has the share of the confidence that was demanded.
    """
    tiles = grid(inquiry.shape, stated.granularity)
    kept = tiles.touched(mask)
    if int(kept.sum()) != stated.deletions:
        return Check(False, f"the set has {int(kept.sum())} tiles, but {stated.deletions} deletions were tested")
    if abs(inquiry.floor() - stated.floor) > _SAME_FLOOR:
        return Check(False, f"the confidence floor is {inquiry.floor()}, but the certificate is for {stated.floor}")
    if not inquiry.passes((yield from asked_again(Masks(inquiry.shape, masks=mask[None]), inquiry)))[0]:
        return Check(False, "the set does not pass alone")
    if not stated.deletions:
        return Check(True)
    indices = np.flatnonzero(kept)
    cells = Cells(inquiry.shape, grid=tiles, kept=tiles.without(kept, indices))
    deletions = yield from asked_again(Within(inquiry.shape, inner=cells, allowed=mask), inquiry)
    spared = indices[inquiry.passes(deletions)]
    if spared.size:
        row, column = divmod(int(spared[0]), tiles.columns)
        return Check(False, f"{spared.size} tiles can be deleted, the first in row {row}, column {column} of the grid")
    return Check(True)
