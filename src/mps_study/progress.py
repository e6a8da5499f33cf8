"""Progress of long work: a bar in a terminal, a line every minute elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress_bar(total: int, description: str, unit: str = "image", done: int = 0) -> tqdm[Any]:
    """A bar with rate and time left. Without a terminal it prints a line at most every minute."""
    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=description,
        unit=unit,
        mininterval=0.2 if terminal else 60,
        maxinterval=1 if terminal else 60,
        dynamic_ncols=terminal,
        leave=terminal,
        file=sys.stderr,
    )


def with_progress(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """The items, with a bar."""
    with progress_bar(total, description) as bar:
        for item in items:
            yield item
            bar.update()
