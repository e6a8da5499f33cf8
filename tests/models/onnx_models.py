"""Small ONNX classifiers of every form that a user may have, all of the same weights."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, CLASSES = 8, 5


def weights(channels=3):
    """(channels * 8 * 8, 5) float32; flattened channels first."""
    return np.random.default_rng(0).normal(size=(channels * SIDE * SIDE, CLASSES)).astype(np.float32)


def logits(pixels):
    """(b, 5) what every such model says of pixels (b, c, 8, 8)."""
    return pixels.reshape(len(pixels), -1) @ weights(pixels.shape[1])


def write_model(
    path: Path,
    shape=("batch", 3, SIDE, SIDE),
    tail=(),
    outputs=(("logits", ("batch", CLASSES)),),
    head=(),
    inputs=(),
    opset=20,
    ir_version=10,
    constants=None,
    external=None,
) -> Path:
    """Flatten the input, multiply with the weights; `head` nodes before (image -> made), `tail` behind (raw -> ...).

    `shape` is of the input; where its last axis is 3 or 1 and axis 1 is not, it is transposed first. `external`: name
    of the file beside the model that holds the weights.
    """
    last = shape[1] not in (1, 3) and shape[3] in (1, 3)
    channels = shape[3] if last else shape[1]
    start = [helper.make_node("Transpose", ["image"], ["made"], perm=[0, 3, 1, 2])] if last else []
    begin = "made" if last or head else "image"
    raw = "raw" if tail else outputs[0][0]
    nodes = [*start, *head, helper.make_node("Flatten", [begin], ["flat"])]
    nodes += [helper.make_node("MatMul", ["flat", "weights"], [raw]), *tail]
    values = {"weights": weights(channels), **(constants or {})}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape), *inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in outputs],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    keep = {"save_as_external_data": True, "location": external, "size_threshold": 0} if external else {}
    onnx.save(model, path, **keep)
    return path


def relocate(path: Path, location: str) -> Path:
    """Say that the weights lie somewhere else."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    path.write_bytes(model.SerializeToString())
    return path


def node(kind, given, made, **attributes):
    """One operation."""
    return helper.make_node(kind, [*given], [*made], **attributes)
