"""How a graph ends: whether what it gives is a softmax, a sigmoid, something made of them, or neither.

Read backwards from the output, through what only passes values on (quantisation, clipping, casting, reshaping) and what
puts columns together, to the operation that made the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import onnx
from onnx import inliner, numpy_helper

End = Literal["softmax", "part", "sigmoid", "squashed", "unclear", "unknown"]
"""`softmax`: a distribution over the columns. `part`: some columns of one. `sigmoid`: each column a probability by
itself. `squashed`: bent by another function, or scaled to a length, as logits are not. `unclear`: arithmetic on a
softmax or sigmoid. `unknown`: none of them is near the end, as where a linear layer is."""

_PASSING = {
    "Identity",
    "Cast",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Transpose",
    "Dropout",
    "Clip",
    "Relu",
    "QuantizeLinear",
    "DequantizeLinear",
}
_SOFTMAX = {"Softmax", "QLinearSoftmax"}
_SIGMOID = {"Sigmoid", "HardSigmoid", "QLinearSigmoid"}
_SQUASHED = {"Tanh", "Softsign", "Softplus", "Erf", "Exp", "LpNormalization", "Hardmax"}
_CHOOSING = {"Slice", "Gather", "Split", "GatherElements"}
_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Neg", "Min", "Max", "Mean", "Sum", "Round", "Log", "TopK"}


@dataclass(frozen=True)
class _Source:
    """What values are made of: an end; for a sigmoid its argument, and whether they are one less it."""

    end: End
    of: str = ""
    less: bool = False


_LINEAR = {"Gemm": 1, "MatMul": 1, "Conv": 1}
"""Linear layers -> which of their inputs holds the weights."""

_UNBENT = _PASSING - {"Clip", "Relu"}

READING = 2
"""Raised where another end is found in the same graph: files that were taken over before are looked at again."""


def end_of(model: onnx.ModelProto, output: str) -> End:
    """How the graph ends at one of its outputs."""
    graph = inliner.inline_local_functions(model).graph if model.functions else model.graph
    return _Reading(graph).source(output).end


def is_linear(model: onnx.ModelProto, output: str) -> bool:
    """Whether an output is that of a linear layer with weights of both signs: it can take any value, as logits do.

    Weights outside of the file are not read; then nothing is claimed.
    """
    graph = inliner.inline_local_functions(model).graph if model.functions else model.graph
    return _Reading(graph).is_linear(output)


def was_misread(model: onnx.ModelProto, output: str) -> bool:
    """Whether the first version took an output for logits that is none: it knew a softmax at the very end alone."""
    makers = {name: node for node in model.graph.node for name in node.output}
    name = output
    while name in makers and makers[name].op_type in ("Identity", "Cast", "Reshape", "Squeeze", "Flatten"):
        name = makers[name].input[0]
    last = makers[name].op_type if name in makers else ""
    return last not in ("Softmax", "Sigmoid") and end_of(model, output) != "unknown"  # the latter it refused


def mixes_rows(model: onnx.ModelProto) -> bool:
    """Whether the graph quantises with scales taken over the whole batch, so that rows depend on each other."""
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    return any(node.op_type.startswith("DynamicQuantize") for node in nodes)


class _Reading:
    """One graph, read backwards."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._makers = {name: node for node in graph.node for name in node.output}
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._known: dict[str, _Source] = {}

    def source(self, name: str) -> _Source:
        """What made the values of a tensor."""
        if name not in self._known:
            self._known[name] = self._traced(name)
        return self._known[name]

    def _traced(self, name: str) -> _Source:
        node = self._makers.get(name)
        if node is None:
            return _Source("unknown")
        kind = node.op_type
        if kind in _PASSING:
            return self.source(node.input[0])
        if kind in _SOFTMAX or (kind == "Exp" and self._made_by(node.input[0]) == "LogSoftmax"):
            return _Source("softmax")
        if kind in _SIGMOID:
            return self._sigmoid(node.input[0])
        if kind in _SQUASHED:
            return _Source("squashed")
        if kind in _CHOOSING:
            source = self.source(node.input[0])
            return _Source("part") if source.end == "softmax" else source
        if kind == "Concat":
            return _together([self.source(each) for each in node.input])
        if kind in _ARITHMETIC:
            return self._computed(node)
        return _Source("unknown")

    def _sigmoid(self, argument: str) -> _Source:
        less = False
        while (node := self._makers.get(argument)) is not None and node.op_type in (*_PASSING, "Neg"):
            less ^= node.op_type == "Neg"
            argument = node.input[0]
        return _Source("sigmoid", argument, less)

    def _computed(self, node: onnx.NodeProto) -> _Source:
        if node.op_type == "Sub" and self._is_one(node.input[0]):
            source = self.source(node.input[1])
            if source.end == "sigmoid":
                return _Source("sigmoid", source.of, not source.less)
        if node.op_type == "TopK":  # sorted values: which class they are of is lost
            return _Source("unclear")
        computed = [each for each in node.input if not self._is_constant(each)]
        if node.op_type in ("Min", "Max") and len(computed) == 1:  # clipped
            return self.source(computed[0])
        ends = {self.source(each).end for each in computed}
        if {"unknown", "squashed"} & ends or not ends or (node.op_type == "Log" and ends == {"softmax"}):
            return _Source("unknown")
        return _Source("unclear")

    def is_linear(self, name: str) -> bool:
        """See `is_linear`."""
        while (node := self._makers.get(name)) is not None:
            if node.op_type in _LINEAR:
                return self._has_both_signs(node.input[_LINEAR[node.op_type]])
            others = [each for each in node.input if not self._is_constant(each)]
            if node.op_type not in _UNBENT and not (node.op_type == "Add" and len(others) == 1):
                return False
            name = others[0] if node.op_type == "Add" else node.input[0]
        return False

    def _has_both_signs(self, name: str) -> bool:
        tensor = self._weights.get(name)
        if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL:
            return False
        weights = numpy_helper.to_array(tensor)
        return bool((weights < 0).any() and (weights > 0).any())

    def _made_by(self, name: str) -> str:
        while (node := self._makers.get(name)) is not None and node.op_type in _PASSING:
            name = node.input[0]
        return str(node.op_type) if node is not None else ""

    def _is_constant(self, name: str) -> bool:
        node = self._makers.get(name)
        if node is None:
            return name in self._weights or not name
        return node.op_type == "Constant" or (node.op_type in _PASSING and self._is_constant(node.input[0]))

    def _is_one(self, name: str) -> bool:
        node = self._makers.get(name)
        if node is not None and node.op_type in _PASSING:
            return self._is_one(node.input[0])
        tensor = self._weights.get(name)
        if node is not None and node.op_type == "Constant":
            tensor = next((each.t for each in node.attribute if each.name == "value"), None)
            if tensor is None:
                return any(each.name == "value_float" and each.f == 1 for each in node.attribute)
        if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL:
            return False
        return bool((numpy_helper.to_array(tensor) == 1).all())


def _together(sources: list[_Source]) -> _Source:
    """Of columns side by side: one sigmoid and one less it are a distribution, sigmoids are sigmoids."""
    ends = {source.end for source in sources}
    if ends == {"sigmoid"}:
        two = len(sources) == 2 and sources[0].of == sources[1].of and sources[0].less != sources[1].less
        return _Source("softmax") if two else _Source("sigmoid")
    if len(sources) == 1:
        return sources[0]
    return _Source("unknown") if ends == {"unknown"} else _Source("unclear")
