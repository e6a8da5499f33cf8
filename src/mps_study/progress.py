"""Progress of long work: a bar in a terminal, a line every minute elsewhere; one line of log a stage."""

from __future__ import annotations

import inspect
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from kedro.framework.hooks import hook_impl
from kedro.pipeline.node import Node
from tqdm import tqdm

log = logging.getLogger(__name__)
T = TypeVar("T")


def progress_bar(total: int | None, description: str, unit: str = "image", done: int = 0) -> tqdm[Any]:
    """A bar with rate and, unless the total is unknown (None), time left.

    Without a terminal it prints a line every minute, and none before the first is over.
    """
    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=description,
        unit=unit,
        disable=total == 0,
        mininterval=0.2 if terminal else 60,
        maxinterval=1 if terminal else 60,
        delay=0 if terminal else 60,
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


class StageHooks:
    """Says which node has finished, and how long it took."""

    @hook_impl
    def before_node_run(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """One line a node; nodes that yield have only begun here, and log their own lines."""
        if not inspect.isgeneratorfunction(node.func):
            log.info("%s: %.1f s", node.short_name, time.perf_counter() - self._started)
