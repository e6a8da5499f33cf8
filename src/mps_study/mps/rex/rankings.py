"""All rankings by name, and those that need no search. A new one is derived from `Ranker`, and gets its row here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mps_study.mps.common.chance import generator
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.rex.given import Given
from mps_study.mps.rex.ranking import Landscape, Ranker
from mps_study.mps.rex.responsibility import Responsibility
from mps_study.mps.types import Search


@dataclass(frozen=True)
class Random(Ranker):
    """Pixels in random order, from the seed and the image's key: what any other ranking must beat."""

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32 in [0, 1)."""
        yield from ()
        random = generator("random ranking", inquiry.terms.seed, inquiry.key)
        return random.random(inquiry.shape, dtype=np.float32)


@dataclass(frozen=True)
class Centre(Ranker):
    """The nearer to the centre, in shares of height and width, the sooner."""

    def landscape(self, inquiry: Inquiry) -> Search[Landscape]:
        """(h, w) float32, 0 in the centre."""
        yield from ()
        down, along = (np.abs((np.arange(size) + 0.5) / size - 0.5) for size in inquiry.shape)
        return (-np.hypot(down[:, None], along[None, :])).astype(np.float32)


RANKINGS: dict[str, type[Ranker]] = {
    "responsibility": Responsibility,
    "random": Random,
    "centre": Centre,
    "given": Given,
}
"""Maps that `mps_study.saliency` makes add their rows, from `saliency/methods.py` (docs/decisions/0015)."""
