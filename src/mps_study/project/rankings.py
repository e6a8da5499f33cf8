"""What the searches of a study rank pixels by, where that is a map: of a method, or the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mps_study.datasets.maps.given import GivenMaps, Shape
from mps_study.mps.config import SearchConfig
from mps_study.mps.rex.given import Given
from mps_study.saliency.method import Method


def method_of(search: SearchConfig) -> Method | None:
    """The method whose maps the search ranks pixels by, if it does so."""
    ranking = getattr(search.strategy, "ranking", None)
    return ranking if isinstance(ranking, Method) else None


def given_of(search: SearchConfig) -> Given | None:
    """The folder whose maps the search ranks pixels by, if it does so."""
    ranking = getattr(search.strategy, "ranking", None)
    return ranking if isinstance(ranking, Given) else None


def given_maps(given: Given, model: str, images: Iterable[str], shape: Shape | None = None) -> GivenMaps:
    """The maps of one model in the folder that a search names."""
    return GivenMaps(Path(str(given.path)), model, images, shape, given.resize)


def given_fault(search: SearchConfig) -> str | None:
    """One line if a search of a study ranks by given maps, and names no folder that is there."""
    given = given_of(search)
    if given is None:
        return None
    if given.path is None:
        return (
            "search.ranking is 'given', but says not where the maps lie; write {kind: given, path: FOLDER}, with "
            "MODEL/IMAGE.npy in it"
        )
    if not Path(given.path).is_dir():
        return f"search.ranking: there is no folder {given.path}"
    return None
