"""Which layer of a torch model Grad-CAM looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mps_study.common.spelling import unknown
from mps_study.saliency.method import Case

if TYPE_CHECKING:
    from mps_study.saliency.white_box import WhiteBox

INSTEAD = "name one in search.layer, or take another method"


def chosen_layer(model: WhiteBox, name: str | None, case: Case) -> nn.Module:
    """The layer of that name; of None the one that gives the last feature map.

    Raises:
        ValueError: there is no such layer, or no feature map.
    """
    layers: dict[str, nn.Module] = dict(model.module.named_modules())
    found = last_feature_map(model, case) if name is None else name
    if found not in layers:
        where = f"search.layer names a layer of model {model.name!r}."
        raise ValueError(unknown("layer", found, [each for each in layers if each], where))
    if name is not None and not _is_map(_outputs(model, case)[1].get(name)):
        raise ValueError(f"search.layer is {name!r}, but model {model.name!r} has no feature map (n, c, h, w) there")
    return layers[found]


def last_feature_map(model: WhiteBox, case: Case) -> str:
    """Name of the layer whose output is what the model pools: timm's `forward_features`, of a convolutional network.

    Raises:
        ValueError: what the model pools is no feature map of convolutions, as in a transformer, which gives tokens.
    """
    has_convolution = any(isinstance(layer, nn.Conv2d) for layer in model.module.modules())
    pooled, outputs = _outputs(model, case)
    channels_first = getattr(model.module, "output_fmt", "NCHW") == "NCHW"
    if not has_convolution or not channels_first or not _is_map(pooled):
        what = f"{tuple(pooled.shape)}" if isinstance(pooled, torch.Tensor) else "no tensor"
        raise ValueError(
            f"model {model.name!r}: Grad-CAM needs the feature map of a convolution, (n, channels, h, w), but what it "
            f"pools is {what}, as of a transformer's tokens; {INSTEAD}"
        )
    same = [name for name, output in outputs.items() if output is pooled and name]
    if not same:
        raise ValueError(f"model {model.name!r}: no layer gives the feature map that it pools; {INSTEAD}")
    return same[-1]


def _outputs(model: WhiteBox, case: Case) -> tuple[Any, dict[str, Any]]:
    """What the model pools, and the output of each layer on the way, in the order in which they finish."""
    features = getattr(model.module, "forward_features", None)
    if features is None:
        raise ValueError(f"model {model.name!r} has no `forward_features`, as timm's models have; {INSTEAD}")
    outputs: dict[str, Any] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            outputs.pop(name, None)
            outputs[name] = output

        return hook

    hooks = [layer.register_forward_hook(keep(name)) for name, layer in model.module.named_modules()]
    try:
        with torch.no_grad():
            model.evaluations += 1
            pooled = features(model.tensor(case.pixels))
    finally:
        for hook in hooks:
            hook.remove()
    return pooled, outputs


def _is_map(output: Any) -> bool:
    return isinstance(output, torch.Tensor) and output.ndim == 4
