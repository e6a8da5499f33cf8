"""What else is asked of a set once it is found: a dilation, sets at other floors, further sets, curves; in this order.

A budget goes to the set first. What it no longer paid for is said in the record's reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import BudgetSpent, Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.several import Collection
from mps_study.mps.types import FOUND, AtFloor, Found, Mps, MpsRecord, Search

Step = tuple[str, Search[None]]
"""What is asked, in words, and the search for it."""


def with_extras(record: MpsRecord, config: SearchConfig, inquiry: Inquiry, first: Found) -> Search[MpsRecord]:
    """The record with all that the configuration asks for beside its set, or as much of it as the budget allows.

    The record's calls stay those of its own set; its evaluations become those of everything.
    """
    extras = _Extras(config, inquiry, first)
    calls, missing = inquiry.calls, list(extras.steps(record.status))
    try:
        while missing:
            yield from missing[0][1]
            missing.pop(0)
    except BudgetSpent:
        said = f"the budget of evaluations was spent before: {', '.join(name for name, _ in missing)}"
        record = replace(record, reason="; ".join(filter(None, (record.reason, said))))
    return replace(
        record,
        dilation_survives=extras.survives,
        floors=tuple(extras.floors) + extras.floors_left(),
        further=tuple(extras.collection.sets[1:]) if config.several > 1 else first.others,
        curves=extras.curves,
        calls=calls,
        evaluations=inquiry.evaluations,
    )


class _Extras:
    """Keeps what is found, so that a spent budget loses nothing of it."""

    def __init__(self, config: SearchConfig, inquiry: Inquiry, first: Found) -> None:
        self._config, self._inquiry, self._first = config, inquiry, first
        self.survives: bool | None = None
        self.floors: list[AtFloor] = []
        self.collection = Collection(first, config.several, config.overlap, [first.mps] if first.mps else [])
        self.curves = first.curves

    def steps(self, status: str) -> Iterator[Step]:
        """What is asked for a record with this status, in order."""
        config, mps = self._config, self._first.mps
        if mps is not None:
            yield "a dilation of the set", self._dilate(mps)
            for share in config.floors:
                yield f"the set at floor {share:g}", self._at_floor(share)
        if config.several > 1 and status == FOUND:  # where the baseline passes, nobody needs any set
            yield "further sets", self._collect()
        if self.curves is None and config.finder.curves_wanted:
            yield "curves", self._draw()

    def floors_left(self) -> tuple[AtFloor, ...]:
        """The floors that were not asked, or not to the end; none where there is no set."""
        left = self._config.floors[len(self.floors) :] if self._first.mps is not None else ()
        return tuple(AtFloor(share, self._inquiry.floor(share), None, asked=False) for share in left)

    def _dilate(self, mps: Mps) -> Search[None]:
        inquiry = self._inquiry
        grown = Masks(inquiry.shape, label=inquiry.target.label, masks=dilated(mps.mask)[None])
        self.survives = bool(inquiry.passes((yield from inquiry.ask_alone(grown)))[0])

    def _at_floor(self, share: float) -> Search[None]:
        self._inquiry.share, self._inquiry.candidate = share, None
        found = yield from self._config.finder.find(self._inquiry)
        self.floors.append(AtFloor(share, self._inquiry.floor(), found.mps))

    def _collect(self) -> Search[None]:
        self._inquiry.share = self._config.minimum_confidence_threshold
        yield from self._config.several_by.collect(self._inquiry, self._config.finder, self.collection)

    def _draw(self) -> Search[None]:
        self.curves = yield from self._config.finder.curves(self._inquiry, self._first)


def dilated(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask (h, w) grown by one pixel up, down, left and right."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown
