"""One image, one model: what the model needs to see of it, as numbers, as a picture, and as a record."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from mps_study.app.explained import Explanation
from mps_study.app.watching import watched
from mps_study.common.class_names import names_from
from mps_study.compute.opening import open_classifier
from mps_study.compute.searching import baseline_image
from mps_study.images.arriving import Arrived, picture_of
from mps_study.models.export.card import class_names as names_of_classes
from mps_study.models.export.class_names import class_index, names_given, names_in_file
from mps_study.models.export.own_onnx import check_answers, preprocessing_of_onnx
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.onnx_file import read_graph
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.outputs import LabelsOutput, Output
from mps_study.mps.common.terms import LABEL, NEEDS_FLOOR, TOP
from mps_study.mps.config import SearchConfig, laid_over
from mps_study.mps.mutants import Picture
from mps_study.mps.search import extract_mps
from mps_study.pipelines.fingerprint import baseline_bytes
from mps_study.project.parameters import Extraction
from mps_study.project.searches import baseline_image_fault
from mps_study.project.study_models import study_of

log = logging.getLogger(__name__)

DEFAULTS: Mapping[str, Any] = {"iterations": 5, "keep_landscape": True}
"""Where one image differs from `SearchConfig`: a quarter of ReX's iterations, as in the base study; the map is kept.

A strategy or ranking without iterations goes without them."""


def explain(
    image: Arrived,
    model: str | Path = "efficientnet_lite0",
    *,
    env: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    output: Output | LabelsOutput | Mapping[str, Any] | None = None,
    class_names: Sequence[str] | Mapping[int, str] | str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    **search: Any,
) -> Explanation:
    """The minimal sufficient pixel set of one image for one model.

    Args:
        image: a path, the bytes of an image file or an open one, a Pillow image, or an array (h, w) or (h, w, 3) of
            uint8: the same picture, upright and opaque, whichever it is.
        model: a name of a roster (`conf/*/parameters_models.yml`), which is exported at its first use; or the path of
            an ONNX file, input (batch, 3, h, w) float32, output logits (batch, classes), or another form that
            docs/how-to/model.md shows.
        env: the environment whose roster has the model; without it the first that has, `conf/base` before others.
        preprocessing: of an ONNX file, where it is not ImageNet's usual: fields of `Preprocessing`.
        output: what the output of an ONNX file is, where the file does not say: `logits`, `probabilities`, `sigmoid`
            or `multi_label_logits`; of several labels also `{kind: sigmoid, threshold: 0.3}`.
        class_names: of an ONNX file, where its own metadata does not have them: a list, the path of a file, or
            `imagenet-1k`.
        device: `cpu`, `cuda`, or `auto`.
        batch_size: most mutants in one call; None takes the fastest. It cannot change the result.
        search: parameters of `mps_study.SearchConfig`, over `DEFAULTS`: `several=3`, `strategy="minimal"`,
            `target="fox"`, ...

    Raises:
        FileNotFoundError: no such image or ONNX file.
        ValueError: whatever else cannot be used; one line that says what and why.
        ClaimedError: another process is exporting the model.

    Example:
        >>> found = explain("photo.jpg", several=3)  # doctest: +SKIP
        >>> found.class_name, found.area  # doctest: +SKIP
        >>> found.save("photo_mps.png")  # doctest: +SKIP
    """
    if search.get("target") == LABEL:
        raise ValueError(f"search.target is {LABEL!r}, but a single image has no label; give a class")
    config = _config(search)
    name, picture = picture_of(image)
    with _one_line():
        extraction = Extraction.model_validate({"device": device, "batch_size": batch_size})
    if _is_path(model):
        subject = _of_file(Path(model), preprocessing, class_names, output, extraction)
    else:
        for what, given in (("preprocessing", preprocessing), ("class_names", class_names), ("output", output)):
            if given is not None:
                raise ValueError(f"{what} is for ONNX files; that of model {str(model)!r} is part of its roster entry")
        subject = _of_roster(str(model), env, extraction)
    wanted = subject.wanted(config.target)
    try:
        pixels = subject.preprocessing.pixels(picture)
    except ValueError as error:
        raise ValueError(f"image {name!r}: {error}") from None
    subject.classifier.look_at(Picture(pixels, np.zeros((len(pixels), 1, 1), dtype=np.float32)))
    if _is_path(model):
        check_answers(subject.classifier, [pixels])
    other = baseline_image(subject.preprocessing, baseline_bytes(config))
    with watched(subject.classifier) as classifier:
        (record,) = extract_mps([(name, pixels)], classifier, config, baseline_image=other, targets=wanted)
    if record.mask is None and record.reason.endswith(NEEDS_FLOOR):
        raise ValueError(f"image {name!r}: {record.reason} (`--floor`)")
    seen, view = subject.preprocessing.seen(picture), subject.preprocessing.view(*picture.size)
    names = subject.class_name(record.target.label), subject.class_name(record.answer)
    return Explanation(subject.name, names[0], seen, view, record, names[1], picture.size)


@dataclass(frozen=True)
class _Subject:
    """A model that is ready to be asked."""

    name: str
    classifier: OnnxClassifier
    preprocessing: Preprocessing
    class_names: Mapping[int, str]

    def class_name(self, label: int) -> str:
        if label < 0:
            return "no class"
        return self.classifier.head.with_none(self.class_names).get(label, f"class {label}")

    def wanted(self, target: str | int) -> int | None:
        """The index of a target (`SearchConfig.target`); None for the top-1."""
        return None if target == TOP else class_index(target, self.classifier.classes, self.class_names)


def _of_roster(model: str, env: str | None, extraction: Extraction) -> _Subject:
    study = study_of(model, env)
    card, path = study.exported(model)
    classifier, measured = open_classifier(card, path, extraction.asking)
    if measured != card:
        study.remember(measured)
    return _Subject(model, classifier, card.preprocessing, names_of_classes(card, study.sample_names()))


def _of_file(path: Path, preprocessing: object, class_names: object, output: Any, extraction: Extraction) -> _Subject:
    if preprocessing is not None and not isinstance(preprocessing, Mapping):
        raise ValueError(
            f"preprocessing is {preprocessing!r}; use a mapping, such as {{mean: [0.5, 0.5, 0.5], crop_pct: 1.0}}"
        )
    named = None if class_names is None else names_from(class_names, "class_names")
    classifier = OnnxClassifier(
        path, extraction.device, extraction.batch_size, output=output, classes=None if named is None else len(named)
    )
    with _one_line("preprocessing."):
        chosen = preprocessing_of_onnx(classifier, preprocessing or {})
    if preprocessing is None and classifier.signature.dtype != "uint8":
        log.info("%s: preprocessed as is usual for ImageNet; where that is wrong, give `preprocessing`", path.name)
    if named is not None:
        names = names_given(named, classifier.classes, "class_names")
    else:
        names = names_in_file(read_graph(path), classifier.classes, path) or ()
    return _Subject(path.stem, classifier, chosen, dict(enumerate(names)))


@contextmanager
def _one_line(group: str = "") -> Iterator[None]:
    """Pydantic's first complaint in one line."""
    try:
        yield
    except ValidationError as error:
        fault = error.errors()[0]
        where = (group + ".".join(str(part) for part in fault["loc"])).rstrip(".")
        raise ValueError(f"{where} is {fault['input']!r}: {fault['msg'].removeprefix('Value error, ')}") from None


def _is_path(model: str | Path) -> bool:
    return isinstance(model, Path) or model.endswith(".onnx") or Path(model).name != model


def _config(search: Mapping[str, Any]) -> SearchConfig:
    config = SearchConfig(**laid_over(DEFAULTS, search))
    if config.strategy.needs_map:
        raise ValueError(
            "search.ranking reads a map, which is not made here; give the search to a study, or hand maps to "
            "mps_study.extract_mps, `maps`"
        )
    if fault := baseline_image_fault(config):
        raise ValueError(fault)
    return config
