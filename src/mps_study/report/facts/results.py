"""What a report is made of: the study's frames, and ways to fetch a picture, a mask or a map."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.common.searches import OWN

Photo = NDArray[np.uint8]  # (h, w, 3)
Mask = NDArray[np.bool_]  # (h, w), True = pixel kept
Landscape = NDArray[np.float32]  # (h, w), responsibility
View = tuple[float, float, float, float]  # top, left, bottom, right in source pixels


@dataclass(frozen=True)
class Sighting:
    """What one model saw of an image, and what it needed of that.

    Args:
        view: top, left, bottom, right of the part of the source image that the model saw, in source pixels.
        mask: (h, w) of the model's input, which shows the view; None without a set.
        landscape: (h, w) likewise; None when it was not stored.
        further: more sets of the same image, (h, w) each, in the order in which they were found.
    """

    view: View
    mask: Mask | None
    landscape: Landscape | None
    further: Sequence[Mask] = ()


@dataclass(frozen=True)
class Origin:
    """Where a model came from: timm's name of its weights, `weights` as the roster says it, how fine-tuning went.

    timm is empty for an ONNX file of one's own, holdout_accuracy None for a model that was not fine-tuned.
    """

    timm: str = ""
    weights: str = ""
    holdout_accuracy: float | None = None


MORE_SETS = ("image", "model", "search", "kind", "share", "area", "confidence", "certified")
"""Columns of `more_sets` that the report reads of searches."""


@dataclass(frozen=True)
class Searches:
    """What a study with more than one search knows of all of them.

    Args:
        others: their names, but that of the study's own, in the order of conf.
        areas: the frame with all of them, the study's own first.
        summary: the `search_summary` frame.
        overlaps: the `search_overlaps` frame.
        sighting: (image, model, search) -> as `StudyResults.sighting`.
        more_sets: the `more_sets` frame of all of them.
        anytime: the `anytime` frame of all of them.
    """

    others: Sequence[str]
    areas: pd.DataFrame
    summary: pd.DataFrame
    overlaps: pd.DataFrame
    sighting: Callable[[str, str, str], Sighting | None]
    more_sets: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(MORE_SETS)))
    anytime: pd.DataFrame = field(default_factory=pd.DataFrame)

    def names(self) -> list[str]:
        """All of them, the study's own first."""
        return [OWN, *self.others]

    def overlaps_of_image(self, image: str) -> pd.DataFrame:
        """The rows of `overlaps` of one image; the frame is searched once for all images."""
        return self.overlaps.iloc[self._overlap_rows.get(image, [])]

    @cached_property
    def _overlap_rows(self) -> dict[str, NDArray[np.intp]]:
        return {str(image): np.asarray(rows) for image, rows in self.overlaps.groupby("image").indices.items()}


@dataclass(frozen=True)
class Making:
    """What some of the records were made with, as name -> version or device (empty: they do not say), and which.

    `tolerance`: the largest of these models', how far answers in batches are from those alone, as a logit; None where
    no record says it.
    """

    made_with: Mapping[str, str]
    models: Sequence[str]
    records: int
    tolerance: float | None = None


class NothingToShow(ValueError):
    """A figure has nothing to draw in this study; the message says why, in words for the reader."""

    @property
    def reason(self) -> str:
        """The sentence that stands in the report where the figure would have been."""
        return str(self)


@dataclass(frozen=True)
class StudyResults:
    """Everything that tables, figures and the HTML read: of the study's own search, and `searches`.

    The columns of the frames are described in docs/architecture.md. Pictures are fetched when a
    figure needs them, so that a study of 1000 images does not hold them all.
    """

    title: str
    manifest: pd.DataFrame
    areas: pd.DataFrame
    overlaps: pd.DataFrame
    model_summary: pd.DataFrame
    statistics: pd.DataFrame
    provenance: dict[str, Any]
    """Nested plain dictionary, shown as it is; `date` also stands in the report's first lines."""
    photo: Callable[[str, str], Photo]
    """(image, model) -> (h, w, 3) uint8, the picture as that model saw it."""
    mask: Callable[[str, str], Mask | None]
    """(image, model) -> (h, w), True = pixel kept; None when there is no MPS."""
    landscape: Callable[[str, str], Landscape | None]
    """(image, model) -> (h, w) responsibility; None when it was not stored."""
    picture: Callable[[str], Photo | None]
    """image -> (h, w, 3) uint8, the whole source image, upright; None when it cannot be read."""
    sighting: Callable[[str, str], Sighting | None]
    """(image, model) -> view, mask and landscape in one reading; quick when asked image by image, in the manifest's
    order. None when the model was not searched on the image."""
    view: Callable[[str, str], View | None]
    """(image, model) -> the view alone, quicker than the sighting."""
    class_names: Sequence[str] | None
    """Class index -> name; None when the classes have only numbers."""
    more_sets: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Sets at other confidence floors and further sets of an image; empty when none were asked for."""
    several: Callable[[str, str], Sequence[Mask]] = lambda image, model: ()
    """(image, model) -> the several MPSs that were found for it, each (h, w); empty when none were asked for."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Model -> origin; models may be absent."""
    figure_images: Mapping[str, str] = field(default_factory=dict)
    """Figure -> the image to show instead of the one that its rule chooses."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Image that was drawn and could not be used -> why; another was drawn in its place."""
    failed_stages: Mapping[str, str] = field(default_factory=dict)
    """'model, stage' -> why the study had to go on without it, or with less of it."""
    makings: Sequence[Making] = ()
    """The devices and versions that the records come from, most records first; more than one where machines shared
    the work, or packages were updated on the way."""
    trust: pd.DataFrame = field(default_factory=pd.DataFrame)
    """How far sets can be trusted, and what they say about models; empty when nothing was asked."""
    agreement: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The `agreement` frame of all searches: sets beside what people marked; empty in a study without annotations."""
    searches: Searches | None = None
    """Its searches beside its own, which all else here is about; None when it has none."""

    def models(self) -> list[str]:
        """All models, in the order of `model_summary`."""
        return [str(model) for model in self.model_summary["model"]]

    def architectures(self) -> list[str]:
        """All architectures, in the order of `model_summary`."""
        return [str(name) for name in self.model_summary["architecture"].unique()]

    def architecture_of(self, model: str) -> str:
        """The architecture that `model_summary` gives for `model`."""
        rows = self.model_summary.loc[self.model_summary["model"] == model, "architecture"]
        return str(rows.iloc[0])

    def class_name(self, index: Any) -> str:
        """The name of a class, 'class 7' when names are unknown, 'no class' for a missing value."""
        if pd.isna(index):
            return "no class"
        if self.class_names is not None and 0 <= int(index) < len(self.class_names):
            return str(self.class_names[int(index)])
        return f"class {int(index)}"

    def run_mark(self) -> str:
        """The same for results of the same models, images and search: a digest of the fingerprints."""
        marks = sorted(self.provenance.get("fingerprints", {}).items())
        return hashlib.sha256(repr(marks).encode()).hexdigest()[:16]

    def overlaps_of_image(self, image: str) -> pd.DataFrame:
        """The rows of `overlaps` of one image; the frame is searched once for all images."""
        rows = self._overlap_rows.get(image)
        return self.overlaps.iloc[[] if rows is None else rows]

    @cached_property
    def _overlap_rows(self) -> dict[str, NDArray[np.intp]]:
        return {str(image): np.asarray(rows) for image, rows in self.overlaps.groupby("image").indices.items()}

    def area_row(self, image: str, model: str) -> pd.Series[Any] | None:
        """The row of `areas` for one image and model; None when there is none."""
        areas = self.areas
        rows = areas[(areas["image"] == image) & (areas["model"] == model)]
        return None if rows.empty else rows.iloc[0]
