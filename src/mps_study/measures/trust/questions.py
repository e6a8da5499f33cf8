"""The questions by name, and all their answers as the `trust` frame (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import pandas as pd

from mps_study.measures.trust.both_classes import both_classes
from mps_study.measures.trust.cross import cross
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.monitor import monitor
from mps_study.measures.trust.parts import parts
from mps_study.measures.trust.people import people
from mps_study.measures.trust.rows import Row, to_frame
from mps_study.measures.trust.sizes import sizes
from mps_study.measures.trust.survival import stability, survival
from mps_study.measures.trust.views import views

QUESTIONS: dict[str, Callable[[Frames], Iterator[Row]]] = {
    "survival": survival,
    "stability": stability,
    "cross": cross,
    "sub_explanations": parts,
    "failures": monitor,
    "confidence_and_size": sizes,
    "disjoint_sets": views,
    "people": people,
    "misclassified": both_classes,
}


def measure_trust(frames: Frames, progress: Callable[[Iterable[str]], Iterable[str]] = iter) -> pd.DataFrame:
    """The answers to all questions, in their order."""
    return to_frame(chain.from_iterable(QUESTIONS[name](frames) for name in progress(QUESTIONS)))
