"""What an ONNX file of anyone's says of itself, and what is wrong with one that cannot be asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

CHANNELS = (1, 3, 4)
"""Sizes by which the axis of the channels is known; of another size it is the one that is shorter than both others."""

INPUTS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}
"""ONNX Runtime's name of a type that an input may have -> NumPy's."""

OUTPUTS = ("tensor(float)", "tensor(float16)", "tensor(double)")


class OnnxFileError(ValueError):
    """An ONNX file that cannot be asked as a classifier; the message says why and what to do."""


@dataclass(frozen=True)
class Signature:
    """How a model is asked.

    Args:
        input: name of the one input.
        output: name of the output that is read: the first of the form (batch, columns) with two columns or more.
        shape: (c, h, w); None for a size that is left open.
        columns: of the output, whatever axes of size 1 it has besides (batch, columns, 1, 1).
        batch: the batch size if it is fixed, else 0.
        channels_last: whether the input is (batch, h, w, c).
        dtype: NumPy's name of the input's type.
    """

    input: str
    output: str
    shape: tuple[int | None, int | None, int | None]
    columns: int
    batch: int
    channels_last: bool
    dtype: str = "float32"

    def fed(self, pixels: NDArray[np.float32]) -> NDArray[Any]:
        """(b, c, h, w) pixels as the input takes them; whole numbers are rounded to the nearest, ties to even."""
        if self.channels_last:
            pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        if self.dtype == "uint8":
            pixels = np.rint(pixels.clip(0, 255))
        return pixels.astype(self.dtype, copy=False)

    def read(self, output: NDArray[Any]) -> NDArray[np.float32]:
        """(b, columns) float32 of what the model gave."""
        return output.reshape(len(output), self.columns).astype(np.float32, copy=False)


def read_graph(path: Path) -> onnx.ModelProto:
    """The model without its external data, which must lie inside the model's folder.

    Raises:
        FileNotFoundError: there is no such file.
        OnnxFileError: not a whole ONNX model; external data missing or outside of the folder.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such ONNX file")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise OnnxFileError(f"{path}: this is no ONNX model, or it was cut short; copy or export it again") from error
    if not model.graph.node:
        raise OnnxFileError(f"{path}: this is no ONNX model: it holds no graph; copy or export it again")
    external_files(model, path)
    return model


def external_files(model: onnx.ModelProto, path: Path) -> list[Path]:
    """The files in which the weights lie, in order of their names.

    Raises:
        OnnxFileError: one is missing, or lies outside of the folder of the model, by its name or through a link.
    """
    home = path.resolve().parent
    names = {entry.value for tensor in _tensors(model) for entry in tensor.external_data if entry.key == "location"}
    for name in sorted(names):
        parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
        absolute = PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
        if absolute or ".." in parts or not (home / name).resolve().is_relative_to(home):
            raise OnnxFileError(
                f"{path}: its weights are said to lie in {name!r}, outside of its own folder, where nothing is read; "
                "save it again with its data beside it"
            )
        if not (home / name).is_file():
            raise OnnxFileError(f"{path}: its weights are in {name!r}, which is not there; copy it beside the model")
    return [home / name for name in sorted(names)]


def _tensors(message: Any) -> Iterator[onnx.TensorProto]:
    """Every tensor anywhere in a model: weights, constants, those of sub-graphs and functions."""
    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL:
            yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for each in [value] if hasattr(value, "ListFields") else value:
                yield from _tensors(each)


def loading_fault(path: Path, error: Exception) -> OnnxFileError:
    """ONNX Runtime's refusal of a file in one line."""
    said = " ".join(str(error).split())
    newest = re.search(r"Current official support for domain (\S+) is till opset (\d+)", said)
    if newest:
        return OnnxFileError(
            f"{path}: its opset is too new for this ONNX Runtime, which knows {newest[1]} up to {newest[2]}; export "
            "it with an older opset, or update onnxruntime"
        )
    version = re.search(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)", said)
    if version:
        return OnnxFileError(
            f"{path}: its IR version {version[1]} is too new for this ONNX Runtime, which knows up to {version[2]}; "
            "export it with an older onnx, or update onnxruntime"
        )
    why = re.sub(
        r"^\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .*? failed:)?(/\S+:\d+ .*?\) (?=[A-Z]))?", "", said
    )
    return OnnxFileError(f"{path}: ONNX Runtime cannot load this model ({why}); export it again, or update onnxruntime")


def running_fault(path: Path, error: Exception, shape: Sequence[int]) -> OnnxFileError:
    """ONNX Runtime's failure while a model runs on inputs (b, c, h, w), in one line."""
    said = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))
    said = re.sub(r"/\S+:\d+ \S+\(.*?\) ", "", said)[:300]  # where in ONNX Runtime's own source
    size = " x ".join(str(side) for side in shape[1:])
    return OnnxFileError(
        f"{path}: ONNX Runtime fails while the model runs on {shape[0]} of {size} ({said}); check the input size "
        "(preprocessing.input_size) and the batch size, or export it again"
    )


def signature(inputs: Sequence[Any], outputs: Sequence[Any], path: Path, classes: int | None = None) -> Signature:
    """The signature of a session's inputs and outputs (ONNX Runtime's NodeArgs).

    `classes`: of several outputs, the first with so many columns is read; None where nobody says.

    Raises:
        OnnxFileError: no classifier of one image: says what was expected and what was found; or several outputs that
            could each be the classes.
    """
    kinds = ", ".join(INPUTS.values())
    expected = (
        f"{path}: expected one float32 input (batch, channels, height, width), or with the channels last (or of "
        f"another type of {kinds})"
    )
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise OnnxFileError(f"{expected}, but the model has {len(inputs)} inputs ({names}); export it with one")
    shape = inputs[0].shape
    if inputs[0].type not in INPUTS or len(shape) != 4:
        raise OnnxFileError(f"{expected}, but the model takes {inputs[0].type} {shape}; export it so")
    batch, first, _, last = sizes = [size if isinstance(size, int) else None for size in shape]
    channels_last = first not in CHANNELS and last in CHANNELS
    if not channels_last and first not in (None, *CHANNELS):
        sides = [side for side in sizes[1:] if side is not None]
        least = min(sides)
        if sides.count(least) > 1 or least not in (first, last):
            raise OnnxFileError(f"{expected}, but of {shape} neither axis 1 nor axis 3 tells how many channels it has")
        channels_last = last == least
    output, columns = _output(outputs, path, classes)
    c, h, w = (last, first, sizes[2]) if channels_last else (first, sizes[2], last)
    return Signature(inputs[0].name, output.name, (c, h, w), columns, batch or 0, channels_last, INPUTS[inputs[0].type])


def _output(outputs: Sequence[Any], path: Path, classes: int | None) -> tuple[Any, int]:
    """The output that is read and its columns: the first (batch, classes), else one with more axes, else one column."""
    found = [(each, columns) for each in outputs if each.type in OUTPUTS and (columns := _columns(each.shape))]
    found = [pair for pair in found if classes in (pair[1], 2 if pair[1] == 1 else None)] or found
    for rank in (2, 3, 4):
        alike = [(each, columns) for each, columns in found if len(each.shape) == rank and columns > 1]
        if len({columns for _, columns in alike}) > 1:
            there = ", ".join(f"{each.name!r} of {columns}" for each, columns in alike)
            raise OnnxFileError(
                f"{path}: which of its outputs is that of the classes? It has {there} columns; say how many classes "
                "there are (`classes` in the roster, or all `class_names`), or export it with one output"
            )
        if alike:
            return alike[0]
    if found:
        return found[0]
    there = ", ".join(f"{each.name} {each.type} {each.shape}" for each in outputs)
    raise OnnxFileError(
        f"{path}: expected logits or probabilities (batch, classes) of float32 as an output, but it has {there}; "
        "export it with such an output and a fixed number of classes"
    )


def _columns(shape: Sequence[Any]) -> int:
    """Columns of (batch, columns), of the same with more axes of size 1, or of (batch,); 0 of any other form."""
    if len(shape) == 1:
        return 1 if shape[0] in (1, None) or isinstance(shape[0], str) else 0
    if not shape or not all(isinstance(size, int) for size in shape[1:]):
        return 0
    wide = [size for size in shape[1:] if size != 1]
    return int(wide[0]) if len(wide) == 1 else int(not wide)
