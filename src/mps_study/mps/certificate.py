"""Checks the certificate of a minimal set against the model, from scratch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.baselines import Surroundings, baseline_picture
from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.minimal.tiles import Cells, grid
from mps_study.mps.mutants import Masks, Within
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.types import Certificate, Classifier, MpsRecord, Search, Target

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
        record: made by the strategy `minimal`.
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
    search = _check(record.mask, record.certificate, record.target, inquiry)
    surroundings = Surroundings(record.key, config.seed, baseline_image)
    return next(run_searches([Job(baseline_picture(pixels, config.baseline, surroundings), search)], classifier))


def _check(mask: NDArray[np.bool_], stated: Certificate, target: Target, inquiry: Inquiry) -> Search[Check]:
    shape = inquiry.shape
    tiles = grid(shape, stated.granularity)
    if not np.array_equal(tiles.mask(tiles.touched(mask)), mask):
        return Check(False, f"the set is not made of whole tiles of {stated.granularity} px")
    whole = yield Masks(shape, alone=True, masks=np.ones((1, *shape), dtype=bool))
    inquiry.target = Target(int(whole.labels[0]), float(whole.confidences[0]))
    if inquiry.target.label != target.label:
        return Check(False, f"the model now gives class {inquiry.target.label}, not {target.label}")
    return (yield from certificate_holds(mask, stated, inquiry))


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
    alone = yield Masks(inquiry.shape, alone=True, masks=mask[None])
    if not inquiry.passes(alone)[0]:
        return Check(False, "the set does not pass alone")
    if not stated.deletions:
        return Check(True)
    indices = np.flatnonzero(kept)
    cells = Cells(inquiry.shape, grid=tiles, kept=tiles.without(kept, indices))
    deletions = yield Within(inquiry.shape, alone=True, inner=cells, allowed=mask)
    spared = indices[inquiry.passes(deletions)]
    if spared.size:
        row, column = divmod(int(spared[0]), tiles.columns)
        return Check(False, f"{spared.size} tiles can be deleted, the first in row {row}, column {column} of the grid")
    return Check(True)
