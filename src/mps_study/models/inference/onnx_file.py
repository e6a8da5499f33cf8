"""What an ONNX file of anyone's says of itself, and what is wrong with one that cannot be asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import onnx
from google.protobuf.message import DecodeError

CHANNELS = (1, 3, 4)
"""Sizes by which the axis of the channels is known."""

_PASSED_ON = {"Identity", "Cast", "Reshape", "Squeeze", "Flatten"}


class OnnxFileError(ValueError):
    """An ONNX file that cannot be asked as a classifier; the message says why and what to do."""


@dataclass(frozen=True)
class Signature:
    """How a model is asked.

    Args:
        input: name of the one input.
        output: name of the output that is read: the first of the form (batch, classes).
        shape: (c, h, w); None for a size that is left open.
        classes: number of classes.
        batch: the batch size if it is fixed, else 0.
        channels_last: whether the input is (batch, h, w, c).
        probabilities: whether the output is a softmax, not logits.
    """

    input: str
    output: str
    shape: tuple[int | None, int | None, int | None]
    classes: int
    batch: int
    channels_last: bool
    probabilities: bool


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


def signature(inputs: Sequence[Any], outputs: Sequence[Any], model: onnx.ModelProto, path: Path) -> Signature:
    """The signature of a session's inputs and outputs (ONNX Runtime's NodeArgs).

    Raises:
        OnnxFileError: no classifier of one image: says what was expected and what was found.
    """
    expected = f"{path}: expected one float32 input (batch, channels, height, width), or with the channels last"
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise OnnxFileError(f"{expected}, but the model has {len(inputs)} inputs ({names}); export it with one")
    shape = inputs[0].shape
    if inputs[0].type != "tensor(float)" or len(shape) != 4:
        raise OnnxFileError(f"{expected}, but the model takes {inputs[0].type} {shape}; export it so")
    batch, first, _, last = sizes = [size if isinstance(size, int) else None for size in shape]
    channels_last = first not in CHANNELS and last in CHANNELS
    if not channels_last and first not in (None, *CHANNELS):
        raise OnnxFileError(f"{expected}, but of {shape} neither axis 1 nor axis 3 has 1, 3 or 4 channels")
    output = _output(outputs, path)
    last_op = _last_operation(model.graph, output.name)
    if last_op == "Sigmoid":
        raise OnnxFileError(
            f"{path}: its output {output.name!r} is a sigmoid of each class by itself, which gives no "
            "distribution over the classes; export the logits before it"
        )
    c, h, w = (last, first, sizes[2]) if channels_last else (first, sizes[2], last)
    return Signature(
        inputs[0].name, output.name, (c, h, w), output.shape[1], batch or 0, channels_last, last_op == "Softmax"
    )


def _output(outputs: Sequence[Any], path: Path) -> Any:
    """The first output (batch, classes) of float32 with a known number of classes."""
    for each in outputs:
        if each.type == "tensor(float)" and len(each.shape) == 2 and isinstance(each.shape[1], int):
            if each.shape[1] < 2:
                raise OnnxFileError(f"{path}: its output {each.name!r} has one class; a top-1 needs two or more")
            return each
    found = ", ".join(f"{each.name} {each.type} {each.shape}" for each in outputs)
    raise OnnxFileError(
        f"{path}: expected logits or probabilities (batch, classes) of float32 as an output, but it has {found}; "
        "export it with such an output and a fixed number of classes"
    )


def _last_operation(graph: onnx.GraphProto, output: str) -> str:
    """The operation that made an output, behind those that only pass numbers on; "" for an input."""
    makers = {name: node for node in graph.node for name in node.output}
    while output in makers and makers[output].op_type in _PASSED_ON:
        output = makers[output].input[0]
    return str(makers[output].op_type) if output in makers else ""
