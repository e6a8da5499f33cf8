"""Packs what is made of one image after the other, so that a killed run loses little."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

SHARD_SECONDS = 60
"""A pack is closed after this time even if it is not full: what a killed run loses, beside the images in flight."""


class Costing(Protocol):
    """What was made of an image, and the evaluations that it took."""

    @property
    def evaluations(self) -> int:
        """Questions to the model."""


R = TypeVar("R", bound=Costing)


@dataclass(frozen=True)
class Pack(Generic[R]):
    """Some records; `rate` is evaluations a second so far, without the time of whoever saves packs."""

    records: list[R]
    rate: float
    last: bool


def packed(found: Iterable[R], size: int, bar: Any) -> Iterator[Pack[R]]:
    """Packs of at most `size`, each a minute's work or less; the last one may be empty. The bar is moved along."""
    waiting: list[R] = []
    started, spent, evaluations = time.perf_counter(), 0.0, 0
    for record in found:
        waiting.append(record)
        evaluations += record.evaluations
        rate = evaluations / max(spent + time.perf_counter() - started, 1e-9)
        bar.set_postfix_str(f"{rate:.0f} evaluations/s", refresh=False)
        bar.update()
        if len(waiting) >= size or time.perf_counter() - started > SHARD_SECONDS:
            spent += time.perf_counter() - started
            yield Pack(waiting, evaluations / max(spent, 1e-9), last=False)
            waiting, started = [], time.perf_counter()  # saving and logging are not the search's time
    spent += time.perf_counter() - started
    yield Pack(waiting, evaluations / max(spent, 1e-9), last=True)
