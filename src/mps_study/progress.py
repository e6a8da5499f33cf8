"""Progress of long work: a bar in a terminal, a line of log every minute elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

log = logging.getLogger(__name__)
T = TypeVar("T")


class ConsoleHandler(logging.Handler):
    """Writes a line of log above the bars, to stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        tqdm.write(self.format(record), file=sys.stderr)


class _Lines(tqdm):
    """A bar that is a line of log at a time."""

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Log how far it is; tqdm clears a bar by an empty message, which is none."""
        if msg is None:
            log.info("%s", str(self))
        return True


def progress_bar(
    total: int | None, description: str, unit: str = "image", done: int = 0, leave: bool = True
) -> tqdm[Any]:
    """A bar with rate and, unless the total is unknown (None), time left.

    Without a terminal it is a line of log every minute, and none before the first is over. In one, a finished bar
    stays unless `leave` is false.
    """
    terminal = sys.stderr.isatty()
    shared = {"total": total, "initial": done, "desc": description, "unit": f"{unit}s", "disable": total == 0}
    if terminal:
        return tqdm(**shared, mininterval=0.2, maxinterval=1, dynamic_ncols=True, leave=leave, file=sys.stderr)
    known = total is not None
    done_so_far = "{n_fmt} of {total_fmt}" if known else "{n_fmt}"
    line = f"{{desc}}: {done_so_far} {{unit}}, {{rate_fmt}}{', {remaining} left' if known else ''}{{postfix}}"
    return _Lines(**shared, mininterval=60, maxinterval=60, delay=60, bar_format=line, leave=False, file=sys.stderr)


def with_progress(items: Iterable[T], total: int, description: str, unit: str = "image") -> Iterator[T]:
    """The items, with a bar."""
    with progress_bar(total, description, unit) as bar:
        for item in items:
            yield item
            bar.update()
