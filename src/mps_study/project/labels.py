"""The labels of a study: its labelled half and its training images, numbered as its models number their classes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from mps_study.common.digests import digest_of
from mps_study.datasets.samples import named_classes
from mps_study.images.candidates import SourceError
from mps_study.images.labels import Labelled, disagreement, labelled
from mps_study.models.export.class_names import names_of_entry
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.project.parameters import DataSampling

log = logging.getLogger(__name__)

CLASSES = "classes"
"""Key of a request: what folders are labelled by."""

Names = dict[int, str]
"""Class index -> name."""


class StudyLabels:
    """Which class an image of a study is of.

    Args:
        sampling: the sources.
        roster: all models.
        model: the one that was asked for; None for all that the study compares.
        compared: these.
    """

    def __init__(self, sampling: DataSampling, roster: Roster, model: str | None, compared: Iterable[str]) -> None:
        self._sampling, compared = sampling, list(compared)
        self._models, self._study = roster.choose(model, compared), roster.of_study(model, compared)

    def sample_request(self) -> dict[str, Any]:
        """What the sample depends on: sources that are as they were give equal samples to equal requests.

        No source is read for it: where folders are classes by their names, it says what these are looked up in.
        """
        half = self._sampling.labelled
        if half is None or not half.n or not _by_name(half.source):
            return self._sampling.request
        classes: Any = self._names(self._models)
        if not classes:
            classes = {"training": self._sampling.training if self._trains else None, "counts": self._counts}
        return self._sampling.request | {CLASSES: digest_of(classes)}

    def training_request(self, sample: Iterable[str]) -> dict[str, Any]:
        """The same for the training images; they depend on the sample (sha256 of each), which is kept out."""
        request, source = self._sampling.training_request(sample), self._sampling.training
        if source is None or not _by_name(source):
            return request
        return request | {CLASSES: digest_of(self._names(self._tuned) or {"counts": self._counts})}

    def labelled_half(self) -> Labelled:
        """The images that the labelled half is drawn from; none if it is not wanted.

        Raises:
            SourceError: a source that cannot be used, or labels that are not those of a model that is asked.
        """
        half = self._sampling.labelled
        if half is None or not half.n:
            return Labelled([], {})
        known: Mapping[int, str] | None = None
        if _read(half.source):
            known = self._names(self._models) or (self.training_images.names if self._trains else None)
        found = labelled(half.source, known)
        for name, entry in self._models.items():
            _agree("the labelled images", found, name, entry, _names_of(name, entry) if _read(half.source) else {})
        if self._trains:
            apart = disagreement(found.names, self.training_images.names)
            if apart:
                raise SourceError(
                    f"class {apart[0]!r} is {apart[1]} in data_sampling.labelled and {apart[2]} in "
                    "data_sampling.training; give both sources the same `classes`"
                )
        return found

    def check_sample(self, manifest: pd.DataFrame) -> None:
        """Raise SourceError if a sample that is there names a class as a model does another."""
        half, names = self._sampling.labelled, named_classes(manifest)
        if half is not None and _read(half.source):
            for name, entry in self._models.items():
                _agree("the sample that is there", Labelled([], names), name, entry, _names_of(name, entry))

    @cached_property
    def training_images(self) -> Labelled:
        """All images of the training source; none if there is no such source.

        Raises:
            SourceError: a source that cannot be used, or labels that are not those of a model that is trained on them.
        """
        source = self._sampling.training
        if source is None:
            return Labelled([], {})
        found = labelled(source, self._names(self._tuned) if _read(source) else None)
        for name, entry in self._tuned.items():
            _agree("the training images", found, name, entry, _names_of(name, entry))
        return found

    @property
    def _tuned(self) -> dict[str, ModelEntry]:
        return {name: entry for name, entry in self._models.items() if entry.wants_fine_tuning}

    @property
    def _trains(self) -> bool:
        return self._sampling.training is not None and bool(self._tuned)

    @property
    def _counts(self) -> list[int]:
        return sorted({entry.classes for entry in self._models.values()})

    def _names(self, models: Mapping[str, ModelEntry]) -> Names | None:
        """Of the models' classes; if none of them says, of another one's of the study that has as many.

        Raises:
            SourceError: two of them have a class at different indices.
        """
        first: tuple[str, Names] | None = None
        for name, entry in models.items():
            names = _names_of(name, entry)
            first = first or ((name, names) if names else None)
            apart = disagreement(first[1], names) if first else None
            if first and apart:
                raise SourceError(
                    f"class {apart[0]!r} is {apart[1]} in model {first[0]!r} and {apart[2]} in model {name!r}; an "
                    "image has one label in a study: compare them in two"
                )
        if first:
            return first[1]
        others = ((n, e) for n, e in self._study.items() if n not in models and e.classes in self._counts)
        return next((names for name, entry in others if (names := _names_of(name, entry))), None)


def _names_of(name: str, entry: ModelEntry) -> Names:
    try:
        return dict(enumerate(names_of_entry(name, entry) or ()))
    except (FileNotFoundError, OnnxFileError) as error:
        raise SourceError(f"model {name!r}: {error}") from error
    except ValueError as error:
        raise SourceError(str(error)) from error


def _agree(what: str, found: Labelled, name: str, entry: ModelEntry, names: Names) -> None:
    """Refuse labels that are not the model's; say so where it only has another number of classes.

    Raises:
        SourceError: by number, or by name.
    """
    apart = disagreement(found.names, names)
    if apart:
        raise SourceError(
            f"{what}: class {apart[0]!r} has the index {apart[1]}, but {apart[2]} in model {name!r}; give its source "
            "the model's `classes`, by index"
        )
    if found.total is None or found.total == entry.classes:
        return
    if found.certain:
        log.info("%s: their labels are of %d classes, model %s has %d", what, found.total, name, entry.classes)
        return
    raise SourceError(
        f"{what} are of {found.total} classes, but model {name!r} has {entry.classes}: which is which? Give their "
        "source `classes: [NAME, ...]` (all names of the model's classes, by index, or a file of them), give the model "
        "`class_names`, or name the folders by class numbers"
    )


def _read(source: Mapping[str, Any]) -> bool:
    """Whether the names of models are looked at: a user's own folders and data sets may be of any classes."""
    return source.get("kind") in ("folder", "hugging_face")


def _by_name(source: Mapping[str, Any]) -> bool:
    return source.get("kind") == "folder" and source.get("classes") is None
