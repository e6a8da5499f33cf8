"""The searches of a study by name: its own, and the others, each laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mps_study.common.file_names import file_name_fault, folded, one_file
from mps_study.common.searches import OWN
from mps_study.common.spelling import unknown
from mps_study.images.decoding import DecodingError, decode
from mps_study.mps.config import SearchConfig, laid_over

Given = Mapping[str, Any]
"""Parameters of a search as conf gives them."""


def searches_of(search: Given, searches: Mapping[str, Given]) -> dict[str, SearchConfig]:
    """Name -> search: the study's own, `OWN`, and then the others in the order of conf."""
    return {name: SearchConfig(**given) for name, given in given_searches(search, searches).items()}


def given_searches(search: Given, searches: Mapping[str, Given]) -> dict[str, Given]:
    """The same as their parameters: those of `searches` laid over the study's own."""
    return {OWN: search} | {name: laid_over(search, changes) for name, changes in searches.items()}


def choose_searches(searches: Mapping[str, SearchConfig], only: str | None) -> dict[str, SearchConfig]:
    """All searches, or the one that was asked for.

    Raises:
        ValueError: the study has no such search; names the nearest.
    """
    if only is None:
        return dict(searches)
    if only not in searches:
        where = (
            f"Searches live in conf/*/parameters.yml, `searches`; only_search takes one, {OWN!r} is the study's own."
        )
        raise ValueError(unknown("search", only, searches, where))
    return {only: searches[only]}


def name_fault(name: object) -> str | None:
    """One line if a search cannot be called so: the name stands in file names, and beside the study's own."""
    fault = file_name_fault(name) if isinstance(name, str) else "use text"
    if not isinstance(name, str) or fault:
        return f"a search is called {name!r}, and its name becomes that of files: {fault}"
    if folded(name) == OWN:
        return f"a search is called {name!r}, but that is the study's own, `search`; give it another name"
    return None


def names_fault(names: Iterable[object]) -> str | None:
    """One line if two searches would have the same files; None if all have their own."""
    same = one_file(name for name in names if isinstance(name, str))
    if same is None:
        return None
    return f"searches {same[0]!r} and {same[1]!r} would have the same files on macOS and Windows; rename one of them"


def not_there(parameter: str, named: Iterable[str], searches: Mapping[str, Any]) -> list[str]:
    """A line for each search that a parameter names, such as `statistics.against`, and that the study has not."""
    where = f"{parameter} names searches of the study, `searches`."
    return [unknown("search", name, searches, where) for name in named if name not in searches]


def baseline_image_fault(search: SearchConfig) -> str | None:
    """One line if the file of a baseline image is not named, not there or no image; None if all is well."""
    baseline = search.baseline
    kind = baseline.get("kind") if isinstance(baseline, Mapping) else baseline
    if kind != "image":
        return None
    path = baseline.get("path") if isinstance(baseline, Mapping) else None
    if not path:
        return f"search.baseline is {baseline!r}; say which image: {{kind: image, path: FILE}}"
    if not Path(str(path)).is_file():
        return f"search.baseline: there is no file {path}"
    try:
        decode(Path(str(path)).read_bytes(), str(path))
    except (DecodingError, OSError) as error:
        return f"search.baseline: {error}"
    return None
