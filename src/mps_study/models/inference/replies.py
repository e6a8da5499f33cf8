"""From a model's output to a reply: labels, confidences, margins, log-odds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.types import Reply

Classes = NDArray[np.int64]
"""(b,) a class for each row; -1 where none is named."""


def reply_of_logits(logits: NDArray[np.float32], named: Classes | None = None, targets: Classes | None = None) -> Reply:
    """Top-1 labels, their softmax confidence and the margin (see `Reply`), of logits (b, classes).

    Computed in float32 and with the first of equal classes winning, as rex-xai does. A row that is not finite
    gets label -1 and confidence NaN. Where `named` names a class its log-odds are given too; where `targets` names
    one, the margin is its distance to the best other class, else that of the two best.
    """
    with np.errstate(invalid="ignore"):  # rows that are not finite are answered below
        top = logits.max(axis=1, keepdims=True)
        shifted = np.exp(logits - top)
        labels = shifted.argmax(axis=1)
        confidences = np.float32(1) / shifted.sum(axis=1)
        margins = _margins(logits, top[:, 0], targets)
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        labels[bad], confidences[bad], margins[bad] = -1, np.nan, np.inf
    return Reply(labels, confidences, margins, None if named is None else log_odds(logits, named))


def reply_of_labels(
    logits: NDArray[np.float32], named: Classes | None = None, targets: Classes | None = None, edge: float = 0.0
) -> Reply:
    """The reply of a head that decides each label by itself, of the labels' logits (b, k); see `heads.py`.

    A label is there where its logit is above the edge. A row is labelled with its target where that is there; else with
    the most certain label that is there, or with k where none is. The confidence is that of the label that is given, of
    k one less the most certain one's.
    """
    rows, none = np.arange(len(logits)), logits.shape[1]
    with np.errstate(invalid="ignore", over="ignore"):
        certain = logits.argmax(axis=1)
        top = logits[rows, certain]
        beyond = top - np.float32(edge)
        labels = np.where(beyond > 0, certain, none)
        second = np.partition(logits, -2, axis=1)[:, -2]
        margins = np.where(beyond > 0, np.minimum(beyond, top - second), -beyond)
        if targets is not None:
            asked = (targets >= 0) & (targets < none)
            own = logits[rows, np.where(asked, targets, 0)]
            labels = np.where(asked & (own > edge), targets, labels)
            margins = np.where(asked, np.abs(own - np.float32(edge)), margins)
            margins = np.where(targets == none, np.abs(beyond), margins)
        odds = np.where(labels == none, -top, logits[rows, np.minimum(labels, none - 1)])
        confidences = (np.float32(1) / (np.float32(1) + np.exp(-odds))).astype(np.float32)
        of_named = None if named is None else np.where(named == none, -top, logits[rows, np.clip(named, 0, none - 1)])
    bad = ~np.isfinite(logits).all(axis=1)
    labels, margins = np.where(bad, -1, labels), np.where(bad, np.inf, margins).astype(np.float32)
    confidences = np.where(bad, np.nan, confidences).astype(np.float32)
    if of_named is not None:
        of_named = np.where(bad | (named < 0), np.nan, of_named).astype(np.float32)  # type: ignore[operator]
    return Reply(labels, confidences, margins, of_named)


def log_odds(logits: NDArray[np.float32], named: Classes) -> NDArray[np.float32]:
    """(b,) the named class's logit less the log of the other classes' summed exponentials; NaN where none is named."""
    rows = np.arange(len(logits))
    own = logits[rows, named].astype(np.float64)
    others = logits.astype(np.float64)
    others[rows, named] = -np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        top = others.max(axis=1)
        odds = own - top - np.log(np.exp(others - top[:, None]).sum(axis=1))
    named_and_finite = (named >= 0) & np.isfinite(odds)
    return np.where(named_and_finite, odds, np.nan).astype(np.float32)


def _margins(logits: NDArray[np.float32], top: NDArray[np.float32], targets: Classes | None) -> NDArray[np.float32]:
    """(b,) how far each decision is from another one."""
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf, dtype=np.float32)
    margins: NDArray[np.float32] = top - np.partition(logits, -2, axis=1)[:, -2]
    if targets is None:
        return margins
    # The target is on top, and the margin of the two best is its own; or it is not, and the best other one is the top.
    own = logits[np.arange(len(logits)), targets]
    return np.where((targets < 0) | (own == top), margins, top - own)
