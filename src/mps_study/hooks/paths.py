"""Whether the paths of a study fit where Windows takes no more than 259 characters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mps_study.common.searches import OWN, unit_name

LIMIT = 259
"""Characters of a path on Windows, unless its registry allows long ones (MAX_PATH without the closing zero)."""

UNFINISHED = "00000000.partial"
"""What a file is called behind its name while it is written."""


def path_fault(study: Path, models: Iterable[str], searches: Iterable[str]) -> str | None:
    """One line if Windows would refuse the longest path of a study's folder, here; None if it fits.

    Args:
        study: its folder under `data`.
        models, searches: names, of which paths are made.
    """
    if takes_long_paths():
        return None
    longest = max((f"{study.absolute()}{os.sep}{path}{UNFINISHED}" for path in paths(models, searches)), key=len)
    if len(longest) <= LIMIT:
        return None
    return (
        f"the longest path of this study would have {len(longest)} characters ({longest.removesuffix(UNFINISHED)}), "
        f"but Windows takes {LIMIT} here; move the project nearer to the root of its drive, give models and searches "
        "shorter names, or allow long paths (LongPathsEnabled in the registry)"
    )


def paths(models: Iterable[str], searches: Iterable[str]) -> Iterator[str]:
    """The long ones among the paths that are written below a study's folder, without what unfinished files add."""
    digest, day = "0" * 64, "2026-01-01T00.00.00.000Z"
    searches = list(searches)
    yield f"01_training_images/{digest[:2]}/{digest}.jpeg"
    yield f"06_measures/sub_explanations.parquet/{day}/sub_explanations.parquet"
    yield "08_report/figures/searches_beside_each_other.png"
    for model in models:
        yield f"03_checkpoints/in_training/{model}.0000.{digest}.pt"
        yield f"05_mps_records/{model}/{digest[:16]}/0000000.parquet"
        yield f"08_report/models/{model}.png"
        for search in searches:
            unit = unit_name(model, search) if search != OWN else f"{model}, {search}"
            yield f"claims/mps_extraction/{unit}, 1000 of 1000.holder.json"


def takes_long_paths() -> bool:
    """Whether paths may be longer here: everywhere but on Windows, and there if its registry says so."""
    if os.name != "nt":
        return True
    try:
        import winreg as registry
    except ImportError:
        return False
    keys: Any = registry  # typed on Windows only
    try:
        with keys.OpenKey(keys.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as place:
            return bool(keys.QueryValueEx(place, "LongPathsEnabled")[0])
    except OSError:
        return False
