"""Projects of the user's own: this package's conf and notebooks, copied into a folder.

In a clone they are the clone's; a wheel carries them below `template/` (pyproject.toml says how): one source for both.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from kedro.utils import find_kedro_project
from platformdirs import user_cache_path

log = logging.getLogger(__name__)

TEMPLATE = Path(__file__).parent / "template"
COPIED = ("conf", "notebooks", "data/README.md")
"""What a project has of the package's own."""

ROSTER = "conf/base/parameters_models.yml"
"""What a folder has that is a project of this package."""


class NewProjectError(ValueError):
    """A folder in which no project can be made; the message says why, and what to do."""


def new_project(folder: Path) -> Path:
    """Make a project in a folder that is new or empty, and return the folder.

    Raises:
        NewProjectError: there is something in it, or it cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NewProjectError(f"{folder} is there already and not empty; name a folder that is new")
        for target, source in _files():
            place = folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
    except OSError as error:
        raise NewProjectError(f"{folder}: {error.strerror or error}; name a folder that can be written") from error
    return folder


def own_project() -> Path:
    """The project of a user who stands in none: in the user's cache, one for each version, made when first asked for.

    Raises:
        NewProjectError: the cache cannot be written.
    """
    cache = user_cache_path("mps-study")
    place = cache / version("mps-study")
    if not (place / ROSTER).is_file():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as unfinished:
                made = new_project(Path(unfinished) / "project")
                try:
                    made.replace(place)
                except OSError:
                    if not (place / ROSTER).is_file():  # else another process was sooner
                        raise
        except OSError as error:
            raise NewProjectError(
                f"{cache}: {error.strerror or error}; work inside a project (`mps-study new`)"
            ) from error
        log.info("models are kept in %s; `mps-study new FOLDER` makes a project of your own", place)
    return place


def roster_of(folder: Path) -> Path:
    """The roster of a project in a folder, or that which a new one there would have."""
    own = folder / ROSTER
    return own if own.is_file() else _root() / ROSTER


def _files() -> Iterator[tuple[str, Path]]:
    """Path in the project -> file; of conf/local only what tells what it is for."""
    for file in sorted(TEMPLATE.iterdir()):
        if file.is_file():
            yield {"ignored": ".gitignore"}.get(file.name, file.name), file
    root = _root()
    for part in COPIED:
        start = root / part
        for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
            path = file.relative_to(root)
            hidden = any(each.startswith(".") or each == "__pycache__" for each in path.parts)
            private = path.parts[:2] == ("conf", "local") and file.name != "README.md"
            if file.is_file() and not hidden and not private:
                yield path.as_posix(), file


def _root() -> Path:
    """Where conf and notebooks lie: packed beside this file, or in the clone around it."""
    if (TEMPLATE / ROSTER).is_file():
        return TEMPLATE
    clone = find_kedro_project(Path(__file__).resolve())
    if clone is None:
        raise NewProjectError("this installation of mps-study lacks its template; install it again")
    return Path(clone)
