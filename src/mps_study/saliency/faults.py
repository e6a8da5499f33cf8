"""What a method cannot do without, said in one line before it is begun."""

from __future__ import annotations

from importlib.util import find_spec

from mps_study.models.roster.roster import ModelEntry


def captum_fault(what: str) -> str | None:
    """One line if captum, which computes `what`, is not installed."""
    if find_spec("captum") is not None:
        return None
    return f"{what} is computed by captum, which is not installed; `pip install 'mps-study[saliency]'`"


def no_torch_form(name: str, entry: ModelEntry) -> str | None:
    """One line if a roster entry is no torch model, and so has no gradient."""
    if entry.onnx is None:
        return None
    return (
        f"model {name!r} is an ONNX file, which has no torch form and so no gradient; take occlusion, lime, "
        "kernel_shap or rise for it, which only ask it, or give the model by its `timm` name"
    )
