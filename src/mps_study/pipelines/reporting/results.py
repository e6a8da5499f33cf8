"""Gathers what the report room needs: frames, provenance, and ways to fetch a picture, a mask or a map."""

from __future__ import annotations

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.spelling import unknown
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records import RecordStore, unpack_landscape, unpack_mask
from mps_study.datasets.samples import named_classes
from mps_study.images.decoding import DecodingError, decode
from mps_study.models.export.card import SAMPLE, ModelCard, class_names
from mps_study.project.parameters import Reporting
from mps_study.report.facts.results import Making, Sighting

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
        self._marks = dict(zip(areas["model"], areas["fingerprint"], strict=True))
        self._cards = cards
        self._images = images
        self._store = store
        self._records = lru_cache(maxsize=16)(self._read)
        self._by_image = store.by_image(self._marks)
        self._decode = lru_cache(maxsize=1)(self._decoded)

    def picture(self, image: str) -> NDArray[np.uint8] | None:
        """(h, w, 3) uint8, the whole source image; None when it cannot be decoded."""
        return self._decode(image)

    def sighting(self, image: str, model: str) -> Sighting | None:
        """View, mask and landscape; None when the model has no record of the image, or saw nothing of it."""
        row = self._by_image.record(image, model)
        if row is None or len(row["view"]) != 4:
            return None
        top, left, bottom, right = (float(edge) for edge in row["view"])
        view = top, left, bottom, right
        if row["mask"] is None:  # the record knows the size of the input by its set alone
            return Sighting(view, None, None)
        shape = int(row["height"]), int(row["width"])
        landscape = None if row["landscape"] is None else unpack_landscape(row["landscape"], *shape)
        further = [unpack_mask(mask, *shape) for mask in row["further_masks"]]
        return Sighting(view, unpack_mask(row["mask"], *shape), landscape, further)

    def photo(self, image: str, model: str) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the part of the image that the model saw, at the size of its input."""
        row = self._rows[image]
        return self._cards[model].preprocessing.seen(decode(self._images[row["file"]], image))

    def mask(self, image: str, model: str) -> NDArray[np.bool_] | None:
        """(h, w) bool; None without a set."""
        row = self._records(model).get(image)
        if row is None or row["mask"] is None:
            return None
        return unpack_mask(row["mask"], int(row["height"]), int(row["width"]))

    def landscape(self, image: str, model: str) -> NDArray[np.float32] | None:
        """(h, w) float32; None when it was not stored."""
        row = self._records(model).get(image)
        if row is None or row["landscape"] is None:
            return None
        return unpack_landscape(row["landscape"], int(row["height"]), int(row["width"]))

    def several(self, image: str, model: str) -> list[NDArray[np.bool_]]:
        """All sets of the image in the order in which they were found, (h, w) bool each; none if there is only one."""
        row = self._records(model).get(image)
        first = self.mask(image, model)
        if row is None or first is None or not len(row["further_masks"]):
            return []
        shape = int(row["height"]), int(row["width"])
        return [first, *(unpack_mask(mask, *shape) for mask in row["further_masks"])]

    def _decoded(self, image: str) -> NDArray[np.uint8] | None:
        try:
            return np.asarray(decode(self._images[self._rows[image]["file"]], image))
        except DecodingError:
            return None

    def _read(self, model: str) -> dict[str, dict[str, Any]]:
        frame = self._store.read(model, self._marks[model], masks=True)
        return {str(row["image"]): row for row in _records(frame)}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def names_of_classes(cards: dict[str, ModelCard], manifest: pd.DataFrame) -> list[str] | None:
    """Class index -> name: of the first model that has names of its own, else those of the sample; None without any.

    A study has one label an image, so that its models count their classes alike.
    """
    card = min(cards.values(), key=lambda card: card.class_names == SAMPLE)
    names = class_names(card, named_classes(manifest))
    return [names.get(i, f"class {i}") for i in range(card.classes)] if names else None


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
        "fingerprints": dict(zip(areas["model"], areas["fingerprint"], strict=True)),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def makings(store: RecordStore, areas: pd.DataFrame) -> list[Making]:
    """What the records of a study were made with, most records first."""
    found: dict[str, Counter[str]] = {}
    for model, fingerprint in areas[["model", "fingerprint"]].drop_duplicates().itertuples(index=False, name=None):
        for made, records in store.made_with(model, fingerprint).items():
            found.setdefault(made, Counter())[model] += records
    return sorted(
        (Making(json.loads(made), list(models), models.total()) for made, models in found.items()),
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
