"""Progress of long work: a bar in a terminal, a line of log every minute elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

log = logging.getLogger(__name__)
T = TypeVar("T")


class _AboveBars:
    """A stream that writes to stderr, above the bars."""

    def write(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr, end="")

    def flush(self) -> None:
        sys.stderr.flush()


def log_above_bars() -> None:
    """From now on lines of log that go to a terminal do not run into a bar."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr and sys.stderr.isatty():
            handler.setStream(_AboveBars())


class _Bar(tqdm):  # type: ignore[misc]  # tqdm carries no types
    """A bar whose rate reads `3.99 images/s`, or `8.92 s/images` where that is slower than one a second."""

    @staticmethod
    def format_meter(*arguments: Any, **rest: Any) -> str:
        return str(tqdm.format_meter(*arguments, **rest)).replace("s/ ", " s/")


class _Lines(_Bar):
    """A bar that is a line of log at a time."""

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Log how far it is; tqdm clears a bar by an empty message, which is none."""
        if msg is None:
            log.info("%s", " ".join(str(self).split()))  # tqdm pads numbers
        return True


def progress_bar(
    total: int | None, description: str, unit: str = "image", done: int = 0, leave: bool = True
) -> tqdm[Any]:
    """A bar with rate and, unless the total is unknown (None), time left.

    Without a terminal it is a line of log every minute, and none before the first is over. In one, a finished bar
    stays unless `leave` is false.
    """
    terminal = sys.stderr.isatty()
    shared = {"total": total, "initial": done, "desc": description, "unit": f" {unit}s", "disable": total == 0}
    if terminal:
        return _Bar(**shared, mininterval=0.2, maxinterval=1, dynamic_ncols=True, leave=leave, file=sys.stderr)
    known = total is not None
    done_so_far = "{n_fmt} of {total_fmt}" if known else "{n_fmt}"
    line = f"{{desc}}: {done_so_far}{{unit}}, {{rate_fmt}}{', {remaining} left' if known else ''}{{postfix}}"
    return _Lines(**shared, mininterval=60, maxinterval=60, delay=60, bar_format=line, leave=False, file=sys.stderr)


def with_progress(items: Iterable[T], total: int, description: str, unit: str = "image") -> Iterator[T]:
    """The items, with a bar."""
    with progress_bar(total, description, unit) as bar:
        for item in items:
            yield item
            bar.update()
