"""Writing files so that each is whole or absent."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

TEMPORARY = ".partial"
"""Suffix of files that are still being written; anything with it may be deleted once its writer is gone."""

PAUSES = (0.01, 0.03, 0.06, 0.1, 0.2, 0.3)
"""Seconds between the trials to replace a file that cannot be replaced: virus scanners and readers need no longer."""


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
        put_in_place(path, target)
    finally:
        path.unlink(missing_ok=True)


def put_in_place(path: Path, target: Path) -> None:
    """Rename a file to `target`, whatever stands there; on Windows it waits, at most a second, for whoever reads that.

    Raises:
        PermissionError: it is not allowed, or another process still has the old file open.
    """
    for pause in (*PAUSES, None):
        try:
            path.replace(target)
            return
        except PermissionError as error:
            if pause is None:
                told = f"{error.strerror or error}; if another program has the file open, close it there and run again"
                raise PermissionError(error.errno, told, str(target)) from error
            time.sleep(pause)


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
