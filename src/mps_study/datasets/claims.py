"""Claims: one process works on a thing at a time. A claim ends with its process, however that ends."""

from __future__ import annotations

import glob
import json
import logging
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from kedro.io import AbstractDataset, DatasetError

from mps_study.datasets.files import write_bytes

log = logging.getLogger(__name__)

SECONDS = 0.5
"""How often a process that waits looks whether the claim is free."""


class ClaimedError(RuntimeError):
    """Another process holds the claim; the message says which, where and since when."""


class Claims:
    """Locks in a folder, by name (`stage` or `stage/model`): `<name>.lock`, who holds it, a workplace while it is held.

    The lock is the operating system's (flock): it is gone when its process is, killed or not. On a file system
    without flock filelock warns and makes a lock of the file itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def study(self) -> Path:
        """The folder of the study that the claims are about."""
        return self._folder.parent

    def unwritable(self) -> Path | None:
        """A folder of the study in which nothing can be written; None if all is well."""
        study = self.study
        existing = next(folder for folder in (study, *study.resolve().parents) if folder.is_dir())
        inside = [folder for folder in study.iterdir() if folder.is_dir()] if study.is_dir() else []
        return next((folder for folder in (existing, *inside) if not os.access(folder, os.W_OK | os.X_OK)), None)

    def check_free(self, name: str) -> None:
        """Raise ClaimedError if another process holds `name`."""
        if not (self._folder / f"{name}.holder.json").exists():  # the lock itself is not touched without need
            return
        lock = FileLock(self._folder / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise self._claimed(name) from None
        lock.release()

    def _claimed(self, name: str) -> ClaimedError:
        holder = _told(self._folder / f"{name}.holder.json")
        return ClaimedError(f"{name} is held by {holder}; wait for it, or stop it")

    @contextmanager
    def claim_whole(self, name: str, parts: str) -> Iterator[Path]:
        """Hold `name`, of which others may hold parts, called `<parts>, <number> of <n>`.

        Raises:
            ClaimedError: another process holds it, or a part of it.
        """
        with ExitStack() as held:
            with self.locked(name):
                self._check_parts(parts)
                workplace = held.enter_context(self.claim(name))
            yield workplace

    @contextmanager
    def claim_part(self, name: str, parts: str, number: int, of: int) -> Iterator[Path]:
        """Hold one part of `name`, beside processes that hold others of the same division.

        Raises:
            ClaimedError: another process holds this part, all of it, or a part of another division.
        """
        with ExitStack() as held:
            with self.locked(name):
                self.check_free(name)
                self._check_parts(parts, except_of=of)
                workplace = held.enter_context(self.claim(f"{parts}, {number} of {of}"))
            yield workplace

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """For what is done in no time, one process after the other: each waits for its turn."""
        lock = self._folder / f"{name}.gate.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, thread_local=False):
            yield

    def _check_parts(self, parts: str, except_of: int | None = None) -> None:
        place = self._folder / parts
        for holder in sorted(place.parent.glob(f"{glob.escape(place.name)}, * of *.holder.json")):
            part = holder.name.removesuffix(".holder.json")
            if not part.endswith(f" of {except_of}"):
                self.check_free(f"{Path(parts).parent.as_posix()}/{part}")

    @contextmanager
    def claim(self, name: str, wait: bool = False) -> Iterator[Path]:
        """Hold `name`; yields an empty folder for unfinished work, which goes when the claim ends.

        Args:
            name: what is claimed.
            wait: for another process that holds it, however long that takes; a line of log says so.

        Raises:
            ClaimedError: another process holds it, and `wait` is False.
        """
        workplace = self._folder / name
        workplace.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{name}.lock", thread_local=False)  # another thread may end it
        holder = self._folder / f"{name}.holder.json"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not wait:
                raise self._claimed(name) from None
            log.info("%s is held by %s; waiting for it", name, _told(holder))
            lock.acquire(poll_interval=SECONDS)
        try:
            write_bytes(holder, json.dumps(_myself()).encode())
            shutil.rmtree(workplace, ignore_errors=True)
            workplace.mkdir()
            yield workplace
        finally:
            shutil.rmtree(workplace, ignore_errors=True)
            holder.unlink(missing_ok=True)
            lock.release()


class ClaimFolder(AbstractDataset[None, Claims]):
    """Loads the `Claims` of a folder."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> Claims:
        """The claims; the folder need not exist yet."""
        return Claims(self._folder)

    def save(self, data: None) -> None:
        """Never called: claims are made while work is done."""
        raise DatasetError("claims are made by the nodes that work, and not saved")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _myself() -> dict[str, Any]:
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _told(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text())
        return f"process {facts['process']} on {facts['host']} since {facts['since']} (`{facts['command']}`)"
    except (OSError, ValueError, KeyError):
        return "another process"
