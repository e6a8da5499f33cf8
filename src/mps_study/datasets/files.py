"""Writing files so that each is whole or absent."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

TEMPORARY = ".partial"
"""Suffix of files that are still being written; anything with it may be deleted once its writer is gone."""


@contextmanager
def written_atomically(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`; when the block ends well it is synced and takes the target's place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f"{target.name}{secrets.token_hex(4)}{TEMPORARY}")
    path.open("xb").close()  # not `mkstemp`, whose files are readable to nobody else whatever the umask says
    try:
        yield path
        with path.open("r+b") as file:  # Windows syncs only what is open for writing
            os.fsync(file.fileno())
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Write a file atomically."""
    with written_atomically(target) as path:
        path.write_bytes(content)


def copy_atomically(source: Path, target: Path) -> None:
    """Copy a file, possibly from another file system."""
    with written_atomically(target) as path:
        shutil.copyfile(source, path)


def sweep(folder: Path, pattern: str, mine: Callable[[Path], bool] = lambda _: True) -> None:
    """Delete what a killed run left half-written: files of `folder` that match `pattern` and `.partial`; say so.

    Args:
        folder: where they lie.
        pattern: of their names, without `.partial`.
        mine: whether nobody else can be writing the file now.
    """
    leftovers = [path for path in sorted(folder.glob(f"{pattern}{TEMPORARY}")) if mine(path)]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    if leftovers:
        log.warning("%s: removed %d half-written files of a run that was killed", folder, len(leftovers))
