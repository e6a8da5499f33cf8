"""Which kind of normalisation layers an exported model has, as its ONNX graph shows them."""

from __future__ import annotations

from pathlib import Path

from mps_study.models.inference.onnx_file import read_graph

KINDS = {
    "LayerNormalization": "layer",
    "SkipLayerNormalization": "layer",
    "GroupNormalization": "group",
    "InstanceNormalization": "group or instance",
    "BatchNormalization": "batch",
}
FOLDED = "batch, folded into convolutions, or none"


def normalisation_of(model: Path) -> str:
    """The kind of which there are most layers; an export folds batch normalisation away, so that none may be seen."""
    counts: dict[str, int] = {}
    for node in read_graph(model).graph.node:
        if kind := KINDS.get(node.op_type):
            counts[kind] = counts.get(kind, 0) + 1
    return max(counts, key=lambda kind: counts[kind]) if counts else FOLDED
