"""How many processor cores this process may use: by affinity, and by the quota of its container or job."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows control groups; absent elsewhere."""

OWN_GROUPS = Path("/proc/self/cgroup")
"""In which of them this process is, `number:controllers:path` a line."""


ALLOWED = "MPS_STUDY_CORES"
"""Environment variable: how many cores this process should use, where several share the machine."""


def cores() -> int:
    """Cores that this process may use, at least 1; a quota of one and a half is two, which take turns."""
    if (allowed := os.environ.get(ALLOWED, "")).isdecimal():
        return max(1, int(allowed))
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(own, quota())))


def quota() -> float:
    """Cores that control groups leave to this process: the least of its own group and those above; else infinite."""
    return min((_of(folder) for folder in _groups()), default=math.inf)


def _groups() -> list[Path]:
    """The folders of the groups that this process is in, with all above them, of version 1 and 2."""
    try:
        lines = [line.split(":", 2) for line in OWN_GROUPS.read_text().splitlines()]
    except OSError:
        return []
    found: list[Path] = []
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = CGROUPS / "cpu" if controllers else CGROUPS
        group = Path(path.lstrip("/"))
        found += [root / part for part in (group, *group.parents)]
    return found


def _of(group: Path) -> float:
    """The quota of one group in cores; infinite where it has none, or says none that can be read."""
    try:
        if (group / "cpu.max").is_file():
            most, period = (group / "cpu.max").read_text().split()
        else:
            most, period = ((group / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = float(most) / float(period)  # `max` in version 2 and -1 in version 1 are no quota
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
    return share if share > 0 else math.inf
