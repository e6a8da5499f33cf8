"""timm -> ONNX, with the check that both give the same answers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data import resolve_model_data_config  # type: ignore[attr-defined]
from torch import nn

from mps_study.models.card import ModelCard, Parity, digest_of, digest_of_files
from mps_study.models.classifier import OnnxClassifier
from mps_study.models.onnx_file import OnnxFileError, external_files, read_graph
from mps_study.models.preprocessing import Preprocessing
from mps_study.models.roster import ModelEntry
from mps_study.models.weights import WeightsError, load_model

OPSET = 20
IMAGENET_CLASSES = 1000
log = logging.getLogger(__name__)


class ParityError(ValueError):
    """An exported model that does not answer as the torch model does."""


@dataclass(frozen=True)
class Exported:
    """An ONNX file (its external data, if any, beside it as `<file>.data`) and its card."""

    path: Path
    card: ModelCard

    @property
    def files(self) -> tuple[Path, ...]:
        """The ONNX file and its external data."""
        return files_of(self.path)


def files_of(path: Path) -> tuple[Path, ...]:
    """An ONNX file and its external data file, if there is one."""
    data = path.with_name(path.name + ".data")
    return (path, data) if data.exists() else (path,)


def export_request(entry: ModelEntry, checkpoint: Path | None, tolerance: float) -> str:
    """Digest of everything an export depends on; equal requests give equal models."""
    local = [checkpoint] if checkpoint else []
    if entry.onnx or entry.weights.startswith("file:"):
        path = Path(entry.onnx or entry.weights.removeprefix("file:"))
        if path.is_file():
            local += [path, *_data_of(path)] if entry.onnx else [path]
    return digest_of(
        {
            "entry": entry.model_dump(mode="json"),
            "files": digest_of_files(*local),
            "opset": OPSET,
            "tolerance": tolerance,
            "torch": torch.__version__,
            "timm": timm.__version__,
        }
    )


def _data_of(path: Path) -> list[Path]:
    """The external data of a user's file; none of one that the export will refuse."""
    try:
        return external_files(read_graph(path), path)
    except OnnxFileError:
        return []


def export_model(
    name: str,
    entry: ModelEntry,
    images: Sequence[Image.Image],
    folder: Path,
    checkpoint: Path | None = None,
    tolerance: float = 1e-4,
    holdout_accuracy: float | None = None,
) -> Exported:
    """Export a roster entry into `folder` and check it on real images.

    Args:
        images: RGB images on which torch and ONNX Runtime must agree: same top-1, logits within `tolerance`.
        checkpoint: for `weights: fine_tuned`.
        tolerance: largest difference of logits, relative to the largest logit where that exceeds one.

    Raises:
        WeightsError: weights that cannot be had.
        ParityError: the ONNX model answers differently.
        FileNotFoundError, OnnxFileError: an ONNX file of the user's own that is not there, or is not a classifier of
            the expected form.
    """
    request = export_request(entry, checkpoint, tolerance)
    path = folder / f"{name}.onnx"
    if entry.onnx is not None:
        preprocessing, parity = _adopt(name, entry, path, images), None
    else:
        model = load_model(name, entry, checkpoint)
        preprocessing = preprocessing_of(entry, model)
        inputs = _inputs(name, preprocessing, images)
        expected = torch_logits(model, inputs)
        to_onnx(model, preprocessing.input_size, path)
        del model  # two copies of a billion weights need not fit
        parity = _check_parity(name, path, inputs, expected, tolerance)
    card = ModelCard(
        name=name,
        architecture=entry.architecture,
        timm=entry.timm,
        weights=entry.onnx or entry.weights,
        classes=entry.classes,
        class_names="imagenet-1k" if entry.classes == IMAGENET_CLASSES else "sample",
        preprocessing=preprocessing,
        opset=_opset_of(path),
        digest=digest_of_files(*files_of(path)),
        request=request,
        parity=parity,
        holdout_accuracy=holdout_accuracy,
    )
    return Exported(path, card)


def _adopt(name: str, entry: ModelEntry, path: Path, images: Sequence[Image.Image]) -> Preprocessing:
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


def preprocessing_of(entry: ModelEntry, model: nn.Module) -> Preprocessing:
    """timm's data configuration of the model, with the roster entry's own fields over it."""
    config: dict[str, Any] = resolve_model_data_config(model)  # type: ignore[no-untyped-call]
    fields = {
        "input_size": config["input_size"][-1],
        "mean": config["mean"],
        "std": config["std"],
        "crop_pct": config["crop_pct"],
        "crop_mode": config["crop_mode"],
        "interpolation": config["interpolation"],
    }
    return Preprocessing(**{**fields, **entry.preprocessing})


def to_onnx(model: nn.Module, input_size: int, path: Path) -> None:
    """Write a torch model (batch, 3, h, w) -> (batch, classes) as ONNX; weights go to `<path>.data` beside it."""
    example = torch.zeros(2, 3, input_size, input_size)
    with _quiet():
        torch.onnx.export(
            model,
            (example,),
            str(path),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=True,
            verbose=False,
        )
    _strip_traces(path)


def _strip_traces(path: Path) -> None:
    """Remove the exporter's stack traces: they hold paths of this machine and change the digest."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
    for function in model.functions:
        del function.metadata_props[:]
        for node in function.node:
            del node.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, path)


def _inputs(name: str, preprocessing: Preprocessing, images: Sequence[Image.Image]) -> NDArray[np.float32]:
    """(n, c, h, w) preprocessed pixels of the images on which parity is checked."""
    if not images:
        raise ParityError(f"model {name!r}: parity needs at least one image; is the sample empty?")
    return np.stack([preprocessing.pixels(image) for image in images])


def torch_logits(model: nn.Module, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits (n, classes) of a torch model for inputs (n, c, h, w)."""
    with torch.inference_mode():
        logits: NDArray[np.float32] = model(torch.from_numpy(inputs)).numpy()
    return logits


def _check_parity(
    name: str,
    path: Path,
    inputs: NDArray[np.float32],
    expected: NDArray[np.float32],
    tolerance: float,
) -> Parity:
    n = len(inputs)
    classifier = OnnxClassifier(path, device="cpu", batch_size=n)
    actual = classifier.logits(inputs)
    worst = max(_difference(expected, actual), _difference(expected[:1], classifier.logits(inputs[:1])))
    if worst > tolerance or (actual.argmax(axis=1) != expected.argmax(axis=1)).any():
        raise ParityError(
            f"model {name!r}: ONNX Runtime and torch differ by {worst:.2g} on {n} images "
            f"(tolerance {tolerance:g}), or in their top-1; the export is refused"
        )
    return Parity(images=n, max_difference=worst, tolerance=tolerance)


def _difference(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> float:
    """Largest difference, relative to the largest magnitude where that exceeds one."""
    if not np.isfinite(actual).all() or not np.isfinite(expected).all():
        return float("inf")
    return float(np.abs(expected - actual).max() / max(1.0, float(np.abs(expected).max())))


def _opset_of(path: Path) -> int:
    imports = onnx.load(path, load_external_data=False).opset_import
    return next(int(i.version) for i in imports if i.domain in ("", "ai.onnx"))


@contextmanager
def _quiet() -> Any:
    """The exporter warns about its own internals; a failed export still raises."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


__all__ = ["Exported", "ParityError", "WeightsError", "export_model", "export_request"]
