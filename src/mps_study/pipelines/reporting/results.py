"""Gathers what the report room needs: frames, provenance, and ways to fetch a picture, a mask or a map."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.class_names import NO_LABEL
from mps_study.common.searches import OWN, model_of, unit_name
from mps_study.common.spelling import unknown
from mps_study.datasets.failures import Failures
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.store import RecordStore, unpack_landscape, unpack_mask
from mps_study.datasets.samples import named_classes
from mps_study.images.decoding import DecodingError, decode
from mps_study.models.export.card import ModelCard, class_names
from mps_study.project.parameters import Reporting
from mps_study.report.facts.results import Making, Sighting, View

SIZE = ("height", "width")
PACKAGES = ("mps-study", "torch", "timm", "onnxruntime-gpu", "onnxruntime", "numpy", "scipy")


class Pictures:
    """Photos, masks and landscapes of a study, read from the stores when a figure asks for them."""

    def __init__(
        self,
        manifest: pd.DataFrame,
        areas: pd.DataFrame,
        cards: dict[str, ModelCard],
        images: ImageFiles,
        store: RecordStore,
    ) -> None:
        self._rows: dict[str, dict[str, Any]] = {str(row["image"]): row for row in _records(manifest)}
        self._cards = cards
        self._images = images
        self._stores = {
            str(search): store.by_image(dict(zip(group["model"], group["fingerprint"], strict=True)))
            for search, group in areas.groupby("search", sort=False)
        }
        self._decode = lru_cache(maxsize=1)(self._decoded)

    def picture(self, image: str) -> NDArray[np.uint8] | None:
        """(h, w, 3) uint8, the whole source image; None when it cannot be decoded."""
        return self._decode(image)

    def sighting(self, image: str, model: str, search: str = OWN) -> Sighting | None:
        """View, mask and landscape; None when the model has no record of the image, or saw nothing of it."""
        row = self._stores[search].record(image, model, ("view", *SIZE, "mask", "landscape", "further_masks"))
        if row is None or len(row["view"]) != 4:
            return None
        top, left, bottom, right = row["view"]
        return Sighting((top, left, bottom, right), _mask(row), _landscape(row), _further(row))

    def view(self, image: str, model: str) -> View | None:
        """Top, left, bottom, right of what the model saw; None as for a sighting, of which it is the quick part."""
        row = self._stores[OWN].record(image, model, ("view",))
        if row is None or len(row["view"]) != 4:
            return None
        top, left, bottom, right = row["view"]
        return top, left, bottom, right

    def photo(self, image: str, model: str) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the part of the image that the model saw, at the size of its input."""
        row = self._rows[image]
        return self._cards[model].preprocessing.seen(decode(self._images[row["file"]], image))

    def mask(self, image: str, model: str) -> NDArray[np.bool_] | None:
        """(h, w) bool; None without a set."""
        row = self._stores[OWN].record(image, model, (*SIZE, "mask"))
        return None if row is None else _mask(row)

    def landscape(self, image: str, model: str) -> NDArray[np.float32] | None:
        """(h, w) float32; None when it was not stored."""
        if not self._stores[OWN].may_have(image, model, "landscape"):
            return None
        row = self._stores[OWN].record(image, model, (*SIZE, "landscape"))
        return None if row is None else _landscape(row)

    def several(self, image: str, model: str) -> list[NDArray[np.bool_]]:
        """All sets of the image in the order in which they were found, (h, w) bool each; none if there is only one."""
        if not self._stores[OWN].may_have(image, model, "further_masks"):
            return []
        row = self._stores[OWN].record(image, model, (*SIZE, "mask", "further_masks"))
        first, further = (None, []) if row is None else (_mask(row), _further(row))
        return [] if first is None or not further else [first, *further]

    def _decoded(self, image: str) -> NDArray[np.uint8] | None:
        try:
            return np.asarray(decode(self._images[self._rows[image]["file"]], image))
        except DecodingError:
            return None


def _mask(row: dict[str, Any]) -> NDArray[np.bool_] | None:
    return None if row["mask"] is None else unpack_mask(row["mask"], *_shape(row))


def _landscape(row: dict[str, Any]) -> NDArray[np.float32] | None:
    return None if row["landscape"] is None else unpack_landscape(row["landscape"], *_shape(row))


def _further(row: dict[str, Any]) -> list[NDArray[np.bool_]]:
    return [unpack_mask(mask, *_shape(row)) for mask in row["further_masks"]]


def _shape(row: dict[str, Any]) -> tuple[int, int]:
    """Of the model's input, which a record knows by its set alone."""
    return int(row["height"]), int(row["width"])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def names_of_classes(cards: dict[str, ModelCard], manifest: pd.DataFrame) -> list[str] | None:
    """Class index -> name: of the first model that has names of its own, else those of the sample; None without any.

    A study has one label an image, so that its models count their classes alike.
    """
    card = min(cards.values(), key=lambda card: not card.names_itself)
    names = class_names(card, named_classes(manifest))
    none = {each.classes: NO_LABEL for each in cards.values() if each.several_labels}
    if not names and not none:
        return None
    most = max(each.classes for each in cards.values())
    named = {**none, **names}
    return [named.get(i, f"class {i}") for i in range(max(most, *(index + 1 for index in named)))]


def failed_stages(failures: Failures, shown: Collection[str]) -> dict[str, str]:
    """`model, stage` -> why it failed, of the models that are shown: notes of others may stand for ever."""
    return {f"{unit}, {stage}": str(reason) for (stage, unit), reason in failures.items() if model_of(unit) in shown}


def images_of_figures(reporting: Reporting, manifest: pd.DataFrame) -> dict[str, str]:
    """The images that figures show by hand.

    Raises:
        ValueError: the sample has no such image; names the nearest.
    """
    known = [str(image) for image in manifest["image"]]
    for figure, image in reporting.figure_images.items():
        if image not in known:
            where = f"reporting.figure_images.{figure} must name an image of the manifest."
            raise ValueError(unknown("image", image, known, where))
    return {str(figure): image for figure, image in reporting.figure_images.items()}


def provenance(configuration: dict[str, Any], areas: pd.DataFrame) -> dict[str, Any]:
    """When, with what and how the study was made."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "configuration": configuration,
        "fingerprints": {
            unit_name(str(model), str(search)): str(mark)
            for model, search, mark in zip(areas["model"], areas["search"], areas["fingerprint"], strict=True)
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def makings(store: RecordStore, areas: pd.DataFrame) -> list[Making]:
    """What the records of a study were made with, most records first; a model's tolerance makes no kind of its own."""
    found: dict[str, Counter[str]] = {}
    tolerances: dict[str, list[float]] = {}
    for model, fingerprint in areas[["model", "fingerprint"]].drop_duplicates().itertuples(index=False, name=None):
        for made, records in store.made_with(model, fingerprint).items():
            facts = json.loads(made)
            tolerance = facts.pop("tolerance", None)
            kind = json.dumps(facts, sort_keys=True)
            found.setdefault(kind, Counter())[model] += records
            tolerances.setdefault(kind, []).extend([] if tolerance is None else [float(tolerance)])
    return sorted(
        (
            Making(json.loads(kind), list(models), models.total(), max(tolerances[kind], default=None))
            for kind, models in found.items()
        ),
        key=lambda making: -making.records,
    )


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except ModuleNotFoundError:
            continue
    return found
