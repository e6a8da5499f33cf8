"""What the searches of a study rank pixels by, where that is a map: of a method, or the user's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from mps_study.datasets.maps.given import GivenMaps, Shape
from mps_study.models.roster.roster import ModelEntry
from mps_study.mps.common.choices import kind_of
from mps_study.mps.config import SearchConfig
from mps_study.mps.rex.given import Given
from mps_study.saliency.faults import captum_fault, no_torch_form
from mps_study.saliency.method import Method
from mps_study.saliency.methods import METHODS


def method_of(search: SearchConfig) -> Method | None:
    """The method whose maps the search ranks pixels by, if it does so."""
    ranking = getattr(search.strategy, "ranking", None)
    return ranking if isinstance(ranking, Method) else None


def given_of(search: SearchConfig) -> Given | None:
    """The folder whose maps the search ranks pixels by, if it does so."""
    ranking = getattr(search.strategy, "ranking", None)
    return ranking if isinstance(ranking, Given) else None


def method_fault(method: Method, models: Mapping[str, ModelEntry]) -> str | None:
    """One line if captum is missing, or a model has no gradient for a method that needs it."""
    kind = kind_of(method, METHODS)
    fault = captum_fault(f"ranking {kind}") if method.needs_captum else None
    if fault or not method.by_gradient:
        return fault
    return next((f"ranking {kind}: {no}" for name, entry in models.items() if (no := no_torch_form(name, entry))), None)


def given_maps_fault(given: Given, shapes: Mapping[str, Shape | None], images: Collection[str]) -> str | None:
    """One line if maps of these images are missing, or do not fit a model; `shapes`: model -> (h, w), where known."""
    faults = (given_maps(given, name, images, shape).fault() for name, shape in shapes.items())
    return next((fault for fault in faults if fault), None)


def given_maps(given: Given, model: str, images: Iterable[str], shape: Shape | None = None) -> GivenMaps:
    """The maps of one model in the folder that a search names."""
    return GivenMaps(Path(str(given.path)), model, images, shape, given.resize)


def given_fault(search: SearchConfig) -> str | None:
    """One line if a search of a study reads maps that are handed in, and names no folder that is there."""
    given = given_of(search)
    if given is None:
        if method_of(search) is None and search.strategy.needs_map:
            return (
                "search.guide is 'given', but a study hands no maps to it; take another guide, or the maps for a "
                "ranking, {kind: given, path: FOLDER}"
            )
        return None
    if given.path is None:
        return (
            "search.ranking is 'given', but says not where the maps lie; write {kind: given, path: FOLDER}, with "
            "MODEL/IMAGE.npy in it"
        )
    if not Path(given.path).is_dir():
        return f"search.ranking: there is no folder {given.path}"
    return None
