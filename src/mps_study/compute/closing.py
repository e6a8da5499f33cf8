"""Runners that are open, to be closed when a run ends, however it does. Light to load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_open: list[ExitStack] = []


def opened() -> ExitStack:
    """A stack for what a runner opens. It is closed with the runner, or else with the run."""
    stack = ExitStack()
    _open.append(stack)
    return stack


@contextmanager
def all_closed() -> Iterator[None]:
    """Closes at its end what runners have left open.

    A node that yields waits while what it gave is saved. If Ctrl-C comes then, Python closes it only when it is torn
    down itself, which takes seconds and finds threads and processes that can no longer be ended in peace.
    """
    try:
        yield
    finally:
        while _open:
            _open.pop().close()
