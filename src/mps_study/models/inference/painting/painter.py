"""Painting inside the graph: a model's ONNX graph, joined to a small one that makes mutants of pictures.

The painter's operators are those that CUDA has kernels for. Mutants arrive in three forms, so many of each: packed
bits, positions in a ranking, boxes. Pictures, baselines and rankings lie on the device, in slots that rows refer to.

    bits (n1, bytes) uint8                                -> Gather from a 256 x 8 table -> (n1, h, w) bool
    ranking (n2,) int64, count (n2, 1, 1) int32           -> rankings[ranking] < count   -> (n2, h, w) bool
    top, bottom (n3, 1, m), left, right (n3, m, 1) float  -> rows x columns > 0          -> (n3, h, w) bool

    Where(mask, pictures[slot], baselines[slot]) -> the model's input, as its type (of whole numbers, rounded)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mps_study.models.inference.onnx_file import Signature

LEAST_OPSET = 13
"""Of the model's graph: the painter's operators are written for it."""

PREFIX = "mps_painter/"


class Painter:
    """Builds the joined graph for pictures of one shape (c, h, w)."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._c, self._h, self._w = shape
        self._nodes: list[onnx.NodeProto] = []

    def joined(self, model: onnx.ModelProto, signature: Signature) -> onnx.ModelProto:
        """The model with the painter before it: its inputs become the painter's, its outputs stay.

        The model's weights are not touched: external data stay where they are.
        """
        masks = self._node("Concat", [self._of_bits(), self._of_ranks(), self._of_boxes()], axis=0)
        masks = self._node("Reshape", [masks, self._constant(np.array([0, 1, self._h, self._w]))])
        values = [self._node("Gather", [PREFIX + name, PREFIX + "slot"]) for name in ("pictures", "baselines")]
        painted = self._node("Where", [masks, *values])
        if signature.channels_last:
            painted = self._node("Transpose", [painted], perm=[0, 2, 3, 1])
        if signature.dtype == "uint8":
            limits = [self._constant(np.array(limit, dtype=np.float32)) for limit in (0, 255)]
            painted = self._node("Round", [self._node("Clip", [painted, *limits])])
        if signature.dtype != "float32":
            self._node("Cast", [painted], to=helper.np_dtype_to_tensor_dtype(np.dtype(signature.dtype)))
        self._nodes[-1].output[0] = signature.input
        joined = onnx.ModelProto()
        joined.CopyFrom(model)
        graph = joined.graph
        others = [each for each in graph.input if each.name != signature.input]
        del graph.input[:]
        graph.input.extend([*self._inputs(), *others])
        nodes = list(graph.node)
        del graph.node[:]
        graph.node.extend([*self._nodes, *nodes])
        return joined

    def _inputs(self) -> list[onnx.ValueInfoProto]:
        c, h, w = self._c, self._h, self._w
        floats, whole = TensorProto.FLOAT, TensorProto.INT64
        forms: dict[str, tuple[int, list[int | str]]] = {
            "pictures": (floats, ["pictures", c, h, w]),
            "baselines": (floats, ["pictures", c, "rows", "columns"]),
            "slot": (whole, ["batch"]),
            "bits": (TensorProto.UINT8, ["n1", bytes_of((h, w))]),
            "rankings": (TensorProto.INT32, ["rankings", h, w]),
            "ranking": (whole, ["n2"]),
            "count": (TensorProto.INT32, ["n2", 1, 1]),
            "top": (floats, ["n3", 1, "m"]),
            "bottom": (floats, ["n3", 1, "m"]),
            "left": (floats, ["n3", "m", 1]),
            "right": (floats, ["n3", "m", 1]),
        }
        return [helper.make_tensor_value_info(PREFIX + name, kind, form) for name, (kind, form) in forms.items()]

    def _of_bits(self) -> str:
        """(n1, h, w) bool of packed bits, the first pixel in the highest bit."""
        size = bytes_of((self._h, self._w))
        table = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(bool)
        index = self._node("Cast", [PREFIX + "bits"], to=TensorProto.INT32)
        bits = self._node("Gather", [self._constant(table), index])
        flat = self._node("Reshape", [bits, self._constant(np.array([0, size * 8]))])
        if size * 8 > self._h * self._w:
            limits = (np.array([0]), np.array([self._h * self._w]), np.array([1]))
            flat = self._node("Slice", [flat, *map(self._constant, limits)])
        return self._node("Reshape", [flat, self._constant(np.array([0, self._h, self._w]))])

    def _of_ranks(self) -> str:
        """(n2, h, w) bool of rankings, of which the first `count` pixels are kept."""
        positions = self._node("Gather", [PREFIX + "rankings", PREFIX + "ranking"])
        return self._node("Less", [positions, PREFIX + "count"])

    def _of_boxes(self) -> str:
        """(n3, h, w) bool of unions of m boxes: rows times columns, above 0 where any box has both."""
        rows = self._constant(np.arange(self._h, dtype=np.float32)[:, None])
        columns = self._constant(np.arange(self._w, dtype=np.float32)[None, :])
        factors = [self._between(rows, "top", "bottom"), self._between(columns, "left", "right")]
        covered = self._node("MatMul", factors)
        return self._node("Greater", [covered, self._constant(np.array(0.5, dtype=np.float32))])

    def _between(self, positions: str, start: str, stop: str) -> str:
        behind = self._node("GreaterOrEqual", [positions, PREFIX + start])
        before = self._node("Less", [positions, PREFIX + stop])
        return self._node("Cast", [self._node("And", [behind, before])], to=TensorProto.FLOAT)

    def _constant(self, value: NDArray[np.generic]) -> str:
        return self._node("Constant", [], value=numpy_helper.from_array(value))

    def _node(self, operation: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{PREFIX}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [name], name, **attributes))
        return name


def bytes_of(shape: tuple[int, int]) -> int:
    """Bytes that the packed mask of an image (h, w) takes."""
    return -(-shape[0] * shape[1] // 8)


def opset_of(model: onnx.ModelProto) -> int:
    """The version of ONNX's own operators that a model is written in."""
    return next((int(each.version) for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
