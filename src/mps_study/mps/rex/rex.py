"""ReX's global explanation: the shortest prefix of the ranking that is sufficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mps_study.mps.inquiry import Inquiry
from mps_study.mps.rex.prefix import shortest_prefix
from mps_study.mps.rex.ranked import Ranked
from mps_study.mps.rex.ranking import by_value
from mps_study.mps.strategy import Mask
from mps_study.mps.types import Found, Mps, Search


@dataclass(frozen=True)
class Rex(Ranked):
    """The shortest sufficient prefix of the pixels ranked by responsibility, or by another ranking."""

    asked_again: ClassVar[bool] = True

    def find(self, inquiry: Inquiry) -> Search[Found]:
        """The prefix, the map, and its curves."""
        landscape, ranking, drawn = yield from self.ranked(inquiry)
        mps = yield from shortest_prefix(inquiry, ranking, self.chunk_size)
        return Found(mps, landscape, drawn)

    def find_inside(self, inquiry: Inquiry, region: Mask, first: Found) -> Search[Mps | None]:
        """The shortest prefix of the first set's ranking, of the pixels inside the region (h, w) bool alone."""
        assert first.landscape is not None
        inside = np.where(region, first.landscape, first.landscape.min() - 1).astype(np.float32)
        return (yield from shortest_prefix(inquiry, by_value(inside), self.chunk_size, most=int(region.sum())))
