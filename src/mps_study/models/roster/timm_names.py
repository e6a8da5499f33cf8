"""Whether timm has what a roster entry names: the architecture, the weights tag, weights at all."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from mps_study.models.roster.roster import ModelEntry

PACKAGES = ("timm", "torch", "torchvision", "onnxscript")
"""What makes an ONNX file of a timm model, and nothing else needs."""

NEAREST = 3
"""How many names an answer proposes."""


def timm_fault(name: str, entry: ModelEntry) -> str | None:
    """One line that says what is wrong with the entry's `timm` name, with the nearest names; None if nothing is.

    A tag is checked whatever the weights: it also decides mean, std, crop and input size. Weights from the hub need an
    architecture that has some: timm itself would only warn, and take random ones.
    """
    if entry.timm is None:
        return None
    absent = missing_packages()
    if absent:
        return (
            f"model {name!r} is a timm model, but {absent} is not installed; "
            f"`pip install {' '.join(PACKAGES)}`, or take ONNX files"
        )
    architecture, _, tag = entry.timm.partition(".")
    if architecture not in _architectures():
        near = _nearest(architecture, _architectures())
        return f"model {name!r}: timm has no model {architecture!r}; nearest: {', '.join(near) or 'none'}"
    tagged = _with_weights(architecture)
    if tag and entry.timm not in tagged:
        near = _nearest(entry.timm, tagged, cutoff=0.0)
        if near:
            return f"model {name!r}: timm has no weights {tag!r} of {architecture}; nearest: {', '.join(near)}"
        return f"model {name!r}: timm has no weights of {architecture}, so no tag {tag!r}; write `timm: {architecture}`"
    if not tagged and "hub" in (entry.weights, entry.weights.removeprefix("fine_tuned:")):
        return f"model {name!r}: timm has no weights of {architecture}; give `weights: file:PATH`, or another model"
    return None


@cache
def missing_packages() -> str:
    """The first package that is missing of those which make an ONNX file of a timm model; empty if none is."""
    for package in PACKAGES:
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            return error.name or package
    return ""


def _nearest(name: str, known: tuple[str, ...], cutoff: float = 0.6) -> list[str]:
    return difflib.get_close_matches(name, known, n=NEAREST, cutoff=cutoff)


@cache
def _architectures() -> tuple[str, ...]:
    import timm

    return tuple(timm.list_models())


@cache
def _with_weights(architecture: str) -> tuple[str, ...]:
    """`architecture.tag` of every set of weights."""
    import timm

    return tuple(timm.list_pretrained(f"{architecture}.*"))
