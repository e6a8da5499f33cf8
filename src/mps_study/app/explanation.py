"""One image, one model: what the model needs to see of it, as numbers, as a picture, and as a record."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from mps_study.app.watching import watched
from mps_study.images.arriving import Arrived, picture_of
from mps_study.models.export.card import class_names as names_of_classes
from mps_study.models.export.class_names import names_given, names_in_file
from mps_study.models.export.own_onnx import check_answers, preprocessing_of_onnx
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.heads import Output
from mps_study.models.inference.onnx_file import read_graph
from mps_study.models.inference.preprocessing import Preprocessing, View
from mps_study.mps.common.terms import LABEL, NEEDS_FLOOR, TOP
from mps_study.mps.config import SearchConfig, laid_over
from mps_study.mps.mutants import Picture
from mps_study.mps.search import extract_mps
from mps_study.mps.types import MpsRecord
from mps_study.pipelines.mps_extraction.extraction import baseline_image, open_classifier
from mps_study.pipelines.targets import class_index
from mps_study.project.parameters import Extraction, baseline_image_fault
from mps_study.project.study_models import study_of
from mps_study.report.figures.fonts import write_figure
from mps_study.report.figures.one_image import draw_one_image
from mps_study.report.figures.style import to_png

log = logging.getLogger(__name__)

DEFAULTS: Mapping[str, Any] = {"iterations": 5, "keep_landscape": True}
"""Where one image differs from `SearchConfig`: a quarter of ReX's iterations, as in the base study; the map is kept.

A strategy or ranking without iterations goes without them."""

PHOTO = "mps-study photo"
"""Under which a saved PNG keeps the digest of the photo that it shows."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """What one model needs to see of one image.

    Args:
        model: its name.
        class_name: of the class that the set keeps: the model's top-1 on the whole image, or the one asked for.
        photo: (h, w, 3) uint8, the image as the model saw it.
        view: top, left, bottom, right of the part of the image that the model saw, in the image's own pixels.
        record: all that the search found, `mps_study.MpsRecord`.
        answer_name: of the model's top-1 on the whole image.
    """

    model: str
    class_name: str
    photo: NDArray[np.uint8]
    view: View
    record: MpsRecord
    answer_name: str

    @property
    def label(self) -> int:
        """Index of the class."""
        return self.record.target.label

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """(h, w) bool, True = kept: the MPS on `photo`; None without one."""
        return self.record.mask

    @property
    def landscape(self) -> NDArray[np.float32] | None:
        """(h, w) float32: the responsibility of each pixel; None where the strategy has no map."""
        return self.record.landscape

    @property
    def area(self) -> float:
        """Share of the input's pixels that are kept, in [0, 1]; NaN without an MPS."""
        return self.record.area

    @property
    def confidence(self) -> float:
        """Of the class, from the MPS alone, in [0, 1]; NaN without an MPS."""
        return self.record.confidence

    def __repr__(self) -> str:
        share = f"{100 * self.area:.1f} % of the pixels" if self.mask is not None else self.record.status
        return f"<Explanation of {self.record.key} by {self.model}: {self.class_name}, {share}>"

    def figure(self) -> Figure:
        """The photo, its responsibility, its MPS, and several MPSs where there are any."""
        return draw_one_image(self.record, self.photo, self.model, self.class_name, self.answer_name)

    def save(self, path: str | Path) -> Path:
        """Write the figure; the suffix (`.png`, `.svg`, `.pdf`) says in which format.

        Raises:
            ValueError: matplotlib writes no such format, or the folder does not exist.
        """
        check_target(Path(path))
        metadata = {PHOTO: self._mark} if Path(path).suffix.lower() == ".png" else None
        write_figure(self.figure(), path, dpi=240, metadata=metadata)
        return Path(path)

    def is_saved_as(self, path: Path) -> bool:
        """Whether the picture (`.png`) at a path was saved of the same photo, with whatever result."""
        try:
            with Image.open(path) as picture:
                return picture.info.get(PHOTO) == self._mark
        except (OSError, SyntaxError):  # Pillow's for a broken PNG
            return False

    @property
    def _mark(self) -> str:
        return sha256(self.photo.tobytes()).hexdigest()

    def _repr_png_(self) -> bytes:
        """The figure, where a notebook shows the explanation."""
        return to_png(self.figure(), dpi=110)


def check_target(path: Path) -> None:
    """Raise ValueError unless a picture can be saved there, as `Explanation.save` does."""
    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in formats:
        raise ValueError(f"picture {str(path)!r}: the suffix must be one of {', '.join(sorted(formats))}")
    if not path.parent.is_dir():
        raise ValueError(f"picture {str(path)!r}: there is no folder {path.parent}")


def explain(
    image: Arrived,
    model: str | Path = "efficientnet_lite0",
    *,
    env: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    output: Output | None = None,
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
            or `multi_label_logits`.
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
    config = _config(search)
    name, picture = picture_of(image)
    with _one_line():
        extraction = Extraction.model_validate({"device": device, "batch_size": _plain(batch_size)})
    if _is_path(model):
        subject = _of_file(Path(model), preprocessing, class_names, output, extraction)
    else:
        for what, given in (("preprocessing", preprocessing), ("class_names", class_names), ("output", output)):
            if given is not None:
                raise ValueError(f"{what} is for ONNX files; that of model {str(model)!r} is part of its roster entry")
        subject = _of_roster(str(model), env, extraction)
    wanted = subject.wanted(config.target)
    pixels = subject.preprocessing.pixels(picture)
    subject.classifier.look_at(Picture(pixels, np.zeros((len(pixels), 1, 1), dtype=np.float32)))
    if _is_path(model):
        check_answers(subject.classifier, [pixels])
    other = baseline_image(subject.preprocessing, config)
    with watched(subject.classifier) as classifier:
        (record,) = extract_mps([(name, pixels)], classifier, config, baseline_image=other, targets=wanted)
    if record.mask is None and record.reason.endswith(NEEDS_FLOOR):
        raise ValueError(f"image {name!r}: {record.reason} (`--floor`)")
    seen, view = subject.preprocessing.seen(picture), subject.preprocessing.view(*picture.size)
    names = subject.class_name(record.target.label), subject.class_name(record.answer)
    return Explanation(subject.name, names[0], seen, view, record, names[1])


@dataclass(frozen=True)
class _Subject:
    """A model that is ready to be asked."""

    name: str
    classifier: OnnxClassifier
    preprocessing: Preprocessing
    class_names: Mapping[int, str]

    def class_name(self, label: int) -> str:
        return self.classifier.head.with_none(self.class_names).get(label, f"class {label}")

    def wanted(self, target: str | int) -> int | None:
        """The index of a target (`SearchConfig.target`); None for the top-1."""
        if target == LABEL:
            raise ValueError(f"search.target is {LABEL!r}, but a single image has no label; give a class")
        return None if target == TOP else class_index(target, self.classifier.classes, self.class_names)


def _of_roster(model: str, env: str | None, extraction: Extraction) -> _Subject:
    study = study_of(model, env)
    card, path = study.exported(model)
    classifier, measured = open_classifier(card, path, extraction)
    if measured != card:
        study.remember(measured)
    return _Subject(model, classifier, card.preprocessing, names_of_classes(card, study.sample_names()))


def _of_file(
    path: Path, preprocessing: object, class_names: object, output: Output | None, extraction: Extraction
) -> _Subject:
    if preprocessing is not None and not isinstance(preprocessing, Mapping):
        raise ValueError(
            f"preprocessing is {preprocessing!r}; use a mapping, such as {{mean: [0.5, 0.5, 0.5], crop_pct: 1.0}}"
        )
    classifier = OnnxClassifier(path, extraction.device, extraction.batch_size, output=output)
    with _one_line("preprocessing."):
        chosen = preprocessing_of_onnx(classifier, preprocessing or {})
    if preprocessing is None and classifier.signature.dtype != "uint8":
        log.info("%s: preprocessed as is usual for ImageNet; where that is wrong, give `preprocessing`", path.name)
    if class_names is not None:
        names = names_given(class_names, classifier.classes, "class_names")
    else:
        names = names_in_file(read_graph(path), classifier.classes, path) or ()
    return _Subject(path.stem, classifier, chosen, dict(enumerate(names)))


def _plain(number: object) -> object:
    return int(number) if isinstance(number, np.integer) else number


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
