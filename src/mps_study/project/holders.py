"""Who holds what, read from what claims leave beside their locks: no lock is touched, so that nothing is disturbed."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOLDER = ".holder.json"
LOCKS = Path("/proc/locks")
"""Linux's list of held locks; elsewhere it is asked whether the process is there."""


@dataclass(frozen=True)
class Holder:
    """A claim that somebody holds, or held when it was killed.

    Args:
        name: what is claimed, `stage` or `stage/unit`.
        process, host, command: who holds it.
        since: when it was claimed, as ISO 8601 with the holder's time zone.
        claimed: the same by the clock of the file system, in seconds since the epoch.
        alive: whether the process still holds it; None where that cannot be known from here.
    """

    name: str
    process: int
    host: str
    since: str
    command: str
    claimed: float
    alive: bool | None


def holders(claims: Path) -> Iterator[Holder]:
    """Every claim below a folder of claims, by name; files that are gone or half-written are passed over."""
    for file in sorted(claims.glob(f"**/*{HOLDER}")):
        try:
            facts, claimed = json.loads(file.read_text()), file.stat().st_mtime
            process, host = int(facts["process"]), str(facts["host"])
            name = str(file.relative_to(claims).as_posix()).removesuffix(HOLDER)
            alive = _holds(file.with_name(file.name.removesuffix(HOLDER) + ".lock"), process, host)
            yield Holder(name, process, host, str(facts["since"]), str(facts["command"]), claimed, alive)
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _holds(lock: Path, process: int, host: str) -> bool | None:
    """Whether a process of this machine holds the lock; None for another machine's, and where nothing tells."""
    if host != socket.gethostname() or os.name == "nt":  # there `os.kill` with 0 is Ctrl-C
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        inode = lock.stat().st_ino
        held = [line.split() for line in LOCKS.read_text().splitlines()]
    except OSError:
        return True  # no list of locks, or no lock file: the process is there
    return any((str(process), str(inode)) == (line[4], line[5].rpartition(":")[2]) for line in held if len(line) > 5)
