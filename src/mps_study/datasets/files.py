"""Writing files so that each is whole or absent."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

TEMPORARY = ".partial"
"""Suffix of files that are still being written; anything with it may be deleted once its writer is gone."""


@contextmanager
def written_atomically(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`; when the block ends well it is synced and takes the target's place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=TEMPORARY, prefix=target.name, dir=target.parent)
    os.close(handle)
    path = Path(name)
    try:
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.chmod(0o644)
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


def sweep(folder: Path, pattern: str) -> None:
    """Delete what a killed run left half-written: files of `folder` that match `pattern` and `.partial`; say so."""
    leftovers = sorted(folder.glob(f"{pattern}{TEMPORARY}"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    if leftovers:
        log.warning("%s: removed %d half-written files of a run that was killed", folder, len(leftovers))
