"""Models of three classes, red, green and blue, of every form of input that is served."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "crop_pct": 1.0, "crop_mode": "squash"}


def colour_model(path, shape, kind=TensorProto.FLOAT, divide=1.0, head=(), constants=None):
    """Three logits: how red, green and blue the mean of an image is, values divided by `divide`."""
    last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    nodes = [
        helper.make_node("Cast", ["image"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["cast", "divide"], ["scaled"]),
        *([helper.make_node("Transpose", ["scaled"], ["made"], perm=[0, 3, 1, 2])] if last else []),
        *head,
        helper.make_node("ReduceMean", ["made" if last or head else "scaled", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "slope"], ["logits"]),
    ]
    values = {"divide": np.float32(divide), "axes": np.array([2, 3]), "slope": np.float32(30), **(constants or {})}
    graph = helper.make_graph(
        nodes,
        "colour",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("batch", 3))],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


BYTES = TensorProto.UINT8
FORMS = {
    "float32": ({"shape": ("batch", 3, 16, 16)}, PLAIN),
    "float16": ({"shape": ("batch", 3, 16, 16), "kind": TensorProto.FLOAT16}, PLAIN),
    "float64": ({"shape": ("batch", 3, 16, 16), "kind": TensorProto.DOUBLE}, PLAIN),
    "bytes": ({"shape": ("batch", 3, 16, 16), "kind": BYTES, "divide": 255}, PLAIN),
    "bytes, channels last": ({"shape": ("batch", 16, 16, 3), "kind": BYTES, "divide": 255}, PLAIN),
    "0 to 255": ({"shape": ("batch", 3, 16, 16), "divide": 255}, {**PLAIN, "scale": 255.0}),
    "open": ({"shape": ("batch", "channels", "h", "w")}, {**PLAIN, "input_size": 16}),
}
