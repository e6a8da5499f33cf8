"""ONNX files of the user's own: taken over as they are, after they have answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from mps_study.models.inference.batched import BatchedClassifier
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.graph_end import was_misread
from mps_study.models.inference.heads import check_head
from mps_study.models.inference.onnx_file import OnnxFileError
from mps_study.models.inference.preprocessing import Preprocessing, implausible, pixels_of
from mps_study.models.inference.tolerance import ROUNDING, trial
from mps_study.models.roster.roster import ModelEntry
from mps_study.mps.mutants import Picture

log = logging.getLogger(__name__)

MUTANTS = 3
"""Of each picture, in `check_answers`."""


def adopt(name: str, entry: ModelEntry, path: Path, images: Sequence[Image.Image]) -> dict[str, Any]:
    """Copy a user's ONNX file, external data and all, and take its input size where the roster gives none.

    Returns:
        What its card says of input and output: `preprocessing`, `head`, `several_labels`.
    """
    source = Path(entry.onnx or "")
    classifier = OnnxClassifier(source, device="cpu", batch_size=1, output=entry.output, classes=entry.classes)
    if classifier.classes != entry.classes:
        raise OnnxFileError(
            f"model {name!r} has {classifier.classes} classes, but the roster says {entry.classes}; "
            "set `classes` in the roster entry"
        )
    preprocessing = preprocessing_of_onnx(classifier, entry.preprocessing)
    log.info("%s: asked as %s, %s", source, classifier.signature, classifier.head)
    try:
        pictures = pixels_of(preprocessing, images)
    except ValueError as error:
        raise OnnxFileError(f"{source}: {error}") from None
    answers = check_answers(classifier, pictures)
    if answers and not any(np.isfinite(answer).all() for answer in answers):
        raise OnnxFileError(
            f"{source}: its output is not finite on any of {len(answers)} pictures; check preprocessing and export"
        )
    model = onnx.load(source)
    onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=1024)
    misread = entry.output is None and classifier.head.columns > 1 and was_misread(model, classifier.signature.output)
    head = classifier.head.output if misread else None
    return {"preprocessing": preprocessing, "head": head, "several_labels": classifier.head.multi_label}


def preprocessing_of_onnx(classifier: BatchedClassifier, fields: Mapping[str, Any]) -> Preprocessing:
    """What the fields say, and the file where they are silent: its input size, and whole numbers from 0 to 255 for a
    model that takes bytes. The rest is ImageNet's usual.

    Raises:
        OnnxFileError: the model's input is not what the fields say, or is open, and they do not say; mean and std
            cannot be those of its values.
    """
    source = classifier.path
    channels, height, width = classifier.input_shape
    bytes_wanted = classifier.signature.dtype == "uint8"
    if "input_size" not in fields and (height is None or width is None):
        raise OnnxFileError(
            f"{source}: the file leaves the input's height or width open; give preprocessing.input_size: the side of "
            "a square, or [height, width]"
        )
    usual: dict[str, Any] = {"input_size": (height, width)}
    if bytes_wanted:
        usual |= {"scale": 255.0, "mean": (0.0,) * (channels or 3), "std": (1.0,) * (channels or 3)}
    preprocessing = Preprocessing(**{**usual, **fields})
    if any(side not in (None, own) for side, own in zip((height, width), preprocessing.size, strict=True)):
        raise OnnxFileError(
            f"{source}: the input is {height} x {width}, but preprocessing.input_size is "
            f"{' x '.join(map(str, preprocessing.size))}; set it to the model's, [height, width]"
        )
    depth = preprocessing.shape[0]
    if channels not in (None, depth):
        numbers = "one number" if channels == 1 else f"{channels} numbers"
        raise OnnxFileError(
            f"{source}: the input has {channels} channels, but preprocessing.mean and .std have {depth}; "
            f"give {numbers} in each of them"
        )
    if bytes_wanted and (preprocessing.scale != 255 or {*preprocessing.mean} != {0} or {*preprocessing.std} != {1}):
        raise OnnxFileError(
            f"{source}: the input takes whole numbers from 0 to 255 (uint8), but preprocessing.scale is "
            f"{preprocessing.scale:g}, mean {[*preprocessing.mean]} and std {[*preprocessing.std]}; leave all three out"
        )
    fault = implausible(preprocessing)
    if fault:
        raise OnnxFileError(f"{source}: preprocessing.{fault}")
    return preprocessing


def check_answers(classifier: BatchedClassifier, pictures: Iterable[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Raw outputs (columns,) for real pictures (c, h, w) and some mutants of each, which are what they are taken for.

    Raises:
        OnnxFileError: they look like something else, and would get wrong confidences; or the model fails, or answers
            the same picture differently when it is asked again.
    """
    answers = []
    for pixels in pictures:
        picture = Picture(pixels, np.zeros((len(pixels), 1, 1), dtype=np.float32))
        asked = trial(picture, MUTANTS)
        painted = np.zeros((MUTANTS, *pixels.shape), dtype=np.float32)
        for row in range(MUTANTS):
            asked.mutants.paint(row, picture, painted[row])
        answers += [classifier.outputs(each[None])[0] for each in (pixels, *painted)]
        if len(answers) == MUTANTS + 1 and not np.allclose(
            answers[0], classifier.outputs(pixels[None])[0], atol=ROUNDING, equal_nan=True
        ):
            raise OnnxFileError(
                f"{classifier.path}: it answers the same picture differently each time, as with dropout or another "
                "random operation; export it for inference, not for training"
            )
    check_head(classifier.head, answers, classifier.path)
    return answers
