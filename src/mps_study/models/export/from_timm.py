"""timm -> ONNX, with the check that both give the same answers. What knows torch of an export."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data import resolve_model_data_config  # type: ignore[attr-defined]
from torch import nn

from mps_study.models.export.card import Parity
from mps_study.models.export.exported import OPSET, ParityError
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.preprocessing import Preprocessing, implausible, pixels_of
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.weights.loading import load_model


def export_timm(
    name: str,
    entry: ModelEntry,
    checkpoint: Path | None,
    path: Path,
    images: Sequence[Image.Image],
    tolerance: float,
) -> tuple[Preprocessing, Parity]:
    """Write a timm model as ONNX; what it takes, and how well both agree on the images. See `export_model`."""
    model = load_model(name, entry, checkpoint)
    preprocessing = preprocessing_of(entry, model)
    inputs = _inputs(name, preprocessing, images)
    expected = torch_logits(model, inputs)
    to_onnx(model, preprocessing.shape, path)
    del model  # two copies of a billion weights need not fit
    return preprocessing, _check_parity(name, path, inputs, expected, tolerance)


def preprocessing_of(entry: ModelEntry, model: nn.Module) -> Preprocessing:
    """timm's data configuration of the model, with the roster entry's own fields over it."""
    arguments = entry.arguments
    return preprocessing_of_module(str(entry.timm), model, entry.preprocessing, arguments.get("in_chans"))


def preprocessing_of_module(
    name: str, model: nn.Module, said: Mapping[str, Any], channels: int | None = None
) -> Preprocessing:
    """timm's data configuration of a module of its own, with the fields that are `said` over it.

    Raises:
        ValueError: what comes of it cannot be; one line that begins with the name.
    """
    config: dict[str, Any] = resolve_model_data_config(model)  # type: ignore[no-untyped-call]
    fields = {
        "input_size": tuple(config["input_size"][-2:]),
        "mean": config["mean"],
        "std": config["std"],
        "crop_pct": config["crop_pct"],
        "crop_mode": config["crop_mode"],
        "interpolation": config["interpolation"],
    }
    if channels == 1:  # timm sums the weights of the colours, and leaves mean and std as they are
        fields |= {each: (sum(config[each]) / len(config[each]),) for each in ("mean", "std")}
    preprocessing = Preprocessing(**{**fields, **said})
    fault = implausible(preprocessing)
    depth, wanted = preprocessing.shape[0], channels or config["input_size"][0]
    if depth != wanted:
        fault = f"mean and .std have {depth} numbers, but the model has {wanted} channels; give as many in each of them"
    if fault:
        raise ValueError(f"{name}: preprocessing.{fault}")
    return preprocessing


def to_onnx(model: nn.Module, shape: tuple[int, int, int], path: Path) -> None:
    """Write a torch model (batch, c, h, w) -> (batch, classes) as ONNX; weights go to `<path>.data` beside it."""
    example = torch.zeros(2, *shape)
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
    try:
        return np.stack(pixels_of(preprocessing, images))
    except ValueError as error:
        raise ParityError(f"model {name!r}: {error}") from None


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
