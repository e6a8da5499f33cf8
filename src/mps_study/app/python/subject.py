"""A model that is ready to be asked, from whatever a user hands over."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mps_study.common.class_names import names_from
from mps_study.compute.opening import open_classifier
from mps_study.models.export.card import class_names as names_of_classes
from mps_study.models.export.class_names import class_index, names_given, names_in_file
from mps_study.models.export.own_onnx import preprocessing_of_onnx
from mps_study.models.given.asked import is_module, is_session
from mps_study.models.given.classifier import GivenClassifier, name_of
from mps_study.models.given.given import GivenModel
from mps_study.models.inference.batched import BatchedClassifier
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.onnx_file import read_graph
from mps_study.models.inference.preprocessing import Preprocessing, implausible
from mps_study.mps.common.terms import TOP
from mps_study.project.parameters import Extraction
from mps_study.project.study_models import study_of

log = logging.getLogger(__name__)

ASK = "give preprocessing: {input_size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}, or what it takes"


@dataclass(frozen=True)
class Subject:
    """A model that is ready to be asked.

    `own` says that its user brought it, so that its answers are checked for being what they are taken for.
    """

    name: str
    classifier: BatchedClassifier
    preprocessing: Preprocessing
    class_names: Mapping[int, str]
    own: bool

    def class_name(self, label: int) -> str:
        """The name of a class, or what stands for one without."""
        if label < 0:
            return "no class"
        return self.classifier.head.with_none(self.class_names).get(label, f"class {label}")

    def wanted(self, target: str | int) -> int | None:
        """The index of a target (`SearchConfig.target`); None for the top-1."""
        return None if target == TOP else class_index(target, self.classifier.classes, self.class_names)


def subject_of(given: GivenModel, env: str | None, device: str, batch_size: int | None) -> Subject:
    """The subject of a model in any form.

    Raises:
        FileNotFoundError: no such ONNX file.
        ValueError: what was said cannot be, or something must be said; one line.
    """
    with one_line():
        extraction = Extraction.model_validate({"device": device, "batch_size": batch_size})
    model = given.model
    if not isinstance(model, str | Path):
        return _of_python(given, extraction)
    if is_path(model):
        return _of_file(given, extraction)
    for what in ("preprocessing", "class_names", "output"):
        if getattr(given, what) is not None:
            raise ValueError(f"{what} is for ONNX files; that of model {str(model)!r} is part of its roster entry")
    return _of_roster(str(model), env, extraction)


def is_path(model: str | Path) -> bool:
    """Whether a model is meant as a file, and not as a name of a roster."""
    return isinstance(model, Path) or model.endswith(".onnx") or Path(model).name != model


@contextmanager
def one_line(group: str = "") -> Iterator[None]:
    """Pydantic's first complaint in one line."""
    try:
        yield
    except ValidationError as error:
        fault = error.errors()[0]
        where = (group + ".".join(str(part) for part in fault["loc"])).rstrip(".")
        raise ValueError(f"{where} is {fault['input']!r}: {fault['msg'].removeprefix('Value error, ')}") from None


def _of_roster(model: str, env: str | None, extraction: Extraction) -> Subject:
    study = study_of(model, env)
    card, path = study.exported(model)
    classifier, measured = open_classifier(card, path, extraction.asking)
    if measured != card:
        study.remember(measured)
    return Subject(model, classifier, card.preprocessing, names_of_classes(card, study.sample_names()), own=False)


def _of_file(given: GivenModel, extraction: Extraction) -> Subject:
    path, named = Path(given.model), _names(given)
    said = _fields(given.preprocessing)
    classifier = OnnxClassifier(
        path,
        extraction.device,
        extraction.batch_size,
        output=given.output,
        classes=None if named is None else len(named),
    )
    with one_line("preprocessing."):
        chosen = preprocessing_of_onnx(classifier, said)
    if given.preprocessing is None and classifier.signature.dtype != "uint8":
        log.info("%s: preprocessed as is usual for ImageNet; where that is wrong, give `preprocessing`", path.name)
    if named is not None:
        names = names_given(named, classifier.classes, "class_names")
    else:
        names = names_in_file(read_graph(path), classifier.classes, path) or ()
    return Subject(given.name or path.stem, classifier, chosen, dict(enumerate(names)), own=True)


def _of_python(given: GivenModel, extraction: Extraction) -> Subject:
    if extraction.device == "cuda":
        raise ValueError("device is 'cuda', but a model that Python holds runs where it lies; leave it out")
    chosen, named = preprocessing_of(given), _names(given)
    classifier = GivenClassifier(given.model, chosen.shape, given.output, extraction.batch_size, given.name)
    names = () if named is None else names_given(named, classifier.classes, "class_names")
    return Subject(given.name or name_of(given.model), classifier, chosen, dict(enumerate(names)), own=True)


def preprocessing_of(given: GivenModel) -> Preprocessing:
    """Of a model that is no file: what is said of it, over what timm says of a module of its own.

    Raises:
        ValueError: nobody says the size of its input; or what is said cannot be.
    """
    said, model = _fields(given.preprocessing), given.model
    name = given.name or name_of(model)
    if is_module(model) and isinstance(getattr(model, "pretrained_cfg", None), Mapping):
        from mps_study.models.export.from_timm import preprocessing_of_module

        return preprocessing_of_module(name, model, said)
    if is_session(model):
        # what a file says of its input a session says too
        with one_line("preprocessing."):
            return preprocessing_of_onnx(GivenClassifier(model, output=given.output or "logits", name=name), said)
    if "input_size" not in said:
        raise ValueError(f"{name}: what it takes is not known; {ASK}")
    if given.preprocessing is not None and not isinstance(given.preprocessing, Preprocessing):
        usual = [each for each in ("mean", "std") if each not in said]
        if usual:
            log.info("%s: %s as is usual for ImageNet; where that is wrong, give it", name, " and ".join(usual))
    with one_line("preprocessing."):
        chosen = Preprocessing(**said)
    if fault := implausible(chosen):
        raise ValueError(f"{name}: preprocessing.{fault}")
    return chosen


def _fields(said: Any) -> dict[str, Any]:
    """The fields of a preprocessing that is said in either form."""
    if said is None:
        return {}
    if isinstance(said, Preprocessing):
        return said.model_dump()
    if not isinstance(said, Mapping):
        raise ValueError(f"preprocessing is {said!r}; use a mapping, such as {{mean: [0.5, 0.5, 0.5], crop_pct: 1.0}}")
    return dict(said)


def _names(given: GivenModel) -> Any:
    return None if given.class_names is None else names_from(given.class_names, "class_names")
