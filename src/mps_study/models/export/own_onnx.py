"""ONNX files of the user's own: taken over as they are, after they have answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.roster import ModelEntry

log = logging.getLogger(__name__)


def adopt(name: str, entry: ModelEntry, path: Path, images: Sequence[Image.Image]) -> Preprocessing:
    """Copy a user's ONNX file, external data and all, and take its input size where the roster gives none."""
    source = Path(entry.onnx or "")
    classifier = OnnxClassifier(source, device="cpu", batch_size=1)
    if classifier.classes != entry.classes:
        raise OnnxFileError(
            f"model {name!r} has {classifier.classes} classes, but the roster says {entry.classes}; "
            "set `classes` in the roster entry"
        )
    preprocessing = preprocessing_of_onnx(classifier, entry.preprocessing)
    _check_answers(source, classifier, preprocessing, images)
    model = onnx.load(source)
    onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=1024)
    return preprocessing


def preprocessing_of_onnx(classifier: OnnxClassifier, fields: Mapping[str, Any]) -> Preprocessing:
    """What the fields say, at the input size of the model where they give none; the rest is ImageNet's usual.

    Raises:
        OnnxFileError: the model's input is not what the fields say, or is open, or not square, and they do not say.
    """
    source = classifier.path
    channels, height, width = classifier.input_shape
    if "input_size" not in fields and (height is None or height != width):
        raise OnnxFileError(
            f"{source}: the input is {height} x {width}; give preprocessing.input_size in the roster, and a model "
            "whose input is square"
        )
    preprocessing = Preprocessing(**{"input_size": height, **fields})
    if any(side not in (None, preprocessing.input_size) for side in (height, width)):
        raise OnnxFileError(
            f"{source}: the input is {height} x {width}, but preprocessing.input_size is {preprocessing.input_size}; "
            "set it to the model's"
        )
    if channels not in (None, preprocessing.channels):
        numbers = "one number" if channels == 1 else f"{channels} numbers"
        remedy = "export it for RGB or grey images" if channels == 4 else f"give {numbers} in each of them"
        raise OnnxFileError(
            f"{source}: the input has {channels} channels, but preprocessing.mean and .std have "
            f"{preprocessing.channels}; {remedy}"
        )
    return preprocessing


def _check_answers(
    source: Path, classifier: OnnxClassifier, preprocessing: Preprocessing, images: Sequence[Image.Image]
) -> None:
    """Ask about real images: what looks like probabilities and is not known as such would get wrong confidences."""
    log.info("%s: asked as %s", source, classifier.signature)
    try:
        answers = [classifier.logits(preprocessing.pixels(image)[None])[0] for image in images]
    except Exception as error:  # ONNX Runtime has many types
        raise OnnxFileError(f"{source}: the model fails on an image ({' '.join(str(error).split())})") from error
    shares = [bool((answer >= 0).all() and abs(float(answer.sum()) - 1) < 1e-3) for answer in answers]
    if shares and all(shares) and not classifier.signature.probabilities:
        raise OnnxFileError(
            f"{source}: its output looks like probabilities (none negative, their sum 1), but does not end in a "
            "Softmax; export the logits"
        )
    if answers and not any(np.isfinite(answer).all() for answer in answers):
        raise OnnxFileError(
            f"{source}: its output is not finite on any of {len(answers)} images; check preprocessing and export"
        )
