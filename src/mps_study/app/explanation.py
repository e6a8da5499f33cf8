"""One image, one model or several: what a model needs to see of it, as numbers, as a picture, and as a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from PIL import Image

from mps_study.app.explained import Explanation
from mps_study.app.python.subject import Subject, subject_of
from mps_study.app.watching import watched
from mps_study.compute.searching import baseline_image
from mps_study.images.arriving import Arrived, picture_of
from mps_study.models.export.own_onnx import check_answers
from mps_study.models.given.given import GivenModel
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.outputs import LabelsOutput, Output
from mps_study.mps.common.terms import LABEL, NEEDS_FLOOR
from mps_study.mps.config import SearchConfig, laid_over
from mps_study.mps.mutants import Picture
from mps_study.mps.search import extract_mps
from mps_study.pipelines.fingerprint import baseline_bytes
from mps_study.project.searches import baseline_image_fault

Model = Any
"""A name of a roster, the path of an ONNX file, a module, a function, a session, or a `GivenModel`."""

DEFAULTS: Mapping[str, Any] = {"iterations": 5, "keep_landscape": True}
"""Where one image differs from `SearchConfig`: a quarter of ReX's iterations, as in the base study; the map is kept.

A strategy or ranking without iterations goes without them."""


@overload
def explain(image: Arrived, model: Sequence[Model], *, env: str | None = ..., **options: Any) -> list[Explanation]: ...


@overload
def explain(image: Arrived, model: Model = ..., *, env: str | None = ..., **options: Any) -> Explanation: ...


def explain(
    image: Arrived,
    model: Model | Sequence[Model] = "efficientnet_lite0",
    *,
    env: str | None = None,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    output: Output | LabelsOutput | Mapping[str, Any] | None = None,
    class_names: Sequence[str] | Mapping[int, str] | str | None = None,
    device: str = "auto",
    batch_size: int | None = None,
    **search: Any,
) -> Explanation | list[Explanation]:
    """The minimal sufficient pixel set of one image for one model, or for each of several.

    Args:
        image: a path, the bytes of an image file or an open one, a Pillow image, or an array (h, w) or (h, w, 3) of
            uint8: the same picture, upright and opaque, whichever it is.
        model: a name of a roster (`conf/*/parameters_models.yml`), which is exported at its first use; the path of
            an ONNX file, input (batch, 3, h, w) float32, output logits (batch, classes), or another form that
            docs/how-to/model.md shows; a module of torch in evaluation mode; a function (n, c, h, w) -> (n, classes);
            a session of ONNX Runtime; a `GivenModel`; or a list of these, which gives a list.
        env: the environment whose roster has the model; without it the first that has, `conf/base` before others.
        preprocessing: of a model that is no name of a roster: `Preprocessing`, or its fields. An ONNX file's is
            ImageNet's usual unless said, a module of timm's is timm's, all else must be said.
        output: what the output of such a model is, where the file does not say: `logits`, `probabilities`, `sigmoid`
            or `multi_label_logits`; of several labels also `{kind: sigmoid, threshold: 0.3}`.
        class_names: of such a model, where its own metadata does not have them: a list, the path of a file, or
            `imagenet-1k`. Of several models each is said by a `GivenModel`.
        device: `cpu`, `cuda`, or `auto`; a module runs where its parameters are.
        batch_size: most mutants in one call; None takes the fastest. It cannot change the result.
        search: parameters of `mps_study.SearchConfig`, over `DEFAULTS`: `several=3`, `strategy="minimal"`,
            `target="fox"`, ...

    Raises:
        FileNotFoundError: no such image or ONNX file.
        ValueError: whatever else cannot be used; one line that says what and why.
        ClaimedError: another process is exporting the model.

    Example:
        >>> picture = np.zeros((32, 32, 3), dtype=np.uint8)
        >>> picture[:8] = 255
        >>> def brightness(inputs):  # (n, 3, 32, 32), from 0 to 1: two classes, dark and bright
        ...     bright = inputs.mean(axis=(1, 2, 3)) - 0.1
        ...     return 20 * np.stack([-bright, bright], axis=1)
        >>> taken = {"input_size": 32, "mean": [0, 0, 0], "std": [1, 1, 1], "crop_pct": 1.0}
        >>> named = {"preprocessing": taken, "class_names": ["dark", "bright"]}
        >>> found = explain(picture, brightness, strategy="minimal", granularity=4, **named)
        >>> found.class_name, found.mask.shape, bool(found.mask[8:].any())
        ('bright', (32, 32), False)
    """
    if search.get("target") == LABEL:
        raise ValueError(f"search.target is {LABEL!r}, but a single image has no label; give a class")
    config = _config(search)
    name, picture = picture_of(image)
    said = {"preprocessing": preprocessing, "output": output, "class_names": class_names}
    several = isinstance(model, Sequence) and not isinstance(model, str)
    models = [_given(each, said, several) for each in (model if several else [model])]
    subjects = [subject_of(each, env, device, batch_size) for each in models]
    found = [_explained(subject, name, picture, config) for subject in subjects]
    return found if several else found[0]


def _given(model: Any, said: Mapping[str, Any], several: bool) -> GivenModel:
    """The model with what is said of it."""
    told = [name for name, value in said.items() if value is not None]
    if told and (several or isinstance(model, GivenModel)):
        of = "each of several models" if several else "a GivenModel"
        raise ValueError(f"{' and '.join(told)} of {of}: say it there, GivenModel(model, {told[0]}=...)")
    return model if isinstance(model, GivenModel) else GivenModel(model, **said)


def _explained(subject: Subject, name: str, picture: Image.Image, config: SearchConfig) -> Explanation:
    wanted = subject.wanted(config.target)
    try:
        pixels = subject.preprocessing.pixels(picture)
    except ValueError as error:
        raise ValueError(f"image {name!r}: {error}") from None
    subject.classifier.look_at(Picture(pixels, np.zeros((len(pixels), 1, 1), dtype=np.float32)))
    if subject.own:
        check_answers(subject.classifier, [pixels])
    other = baseline_image(subject.preprocessing, baseline_bytes(config))
    with watched(subject.classifier) as classifier:
        (record,) = extract_mps([(name, pixels)], classifier, config, baseline_image=other, targets=wanted)
    if record.mask is None and record.reason.endswith(NEEDS_FLOOR):
        raise ValueError(f"image {name!r}: {record.reason} (`--floor`)")
    seen, view = subject.preprocessing.seen(picture), subject.preprocessing.view(*picture.size)
    names = subject.class_name(record.target.label), subject.class_name(record.answer)
    return Explanation(subject.name, names[0], seen, view, record, names[1], picture.size)


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
