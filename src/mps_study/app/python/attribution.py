"""Minimal sufficient pixel sets as attributions: captum's form, which captum's and Quantus' metrics take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mps_study.app.python.searching import extract_mps
from mps_study.mps.common.terms import NEEDS_FLOOR
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import MpsRecord

if TYPE_CHECKING:
    from torch import Tensor


class MpsAttribution:
    """What a model needs to see, in the form of captum's attributions.

    Args:
        model: a module of torch in evaluation mode, or whatever else `mps_study.extract_mps` takes.
        config: the search's parameters; None: `SearchConfig()`.
        of: `set`: 1 for the pixels of the minimal sufficient set, 0 for all others; `responsibility`: ReX's map, which
            needs a strategy that makes one (`keep_landscape` is set for it).

    Example:
        >>> import torch
        >>> class LeftHalf(torch.nn.Module):  # two classes: dark and bright on the left
        ...     def forward(self, inputs):
        ...         bright = inputs[..., :8].mean(dim=(1, 2, 3)) - 0.3
        ...         return 20 * torch.stack([-bright, bright], dim=1)
        >>> attribution = MpsAttribution(LeftHalf().eval(), SearchConfig("minimal", granularity=4))
        >>> values = attribution.attribute(torch.ones(2, 3, 16, 16))
        >>> values.shape, float(values[..., 8:].sum()), float(values[0, 0].sum())
        (torch.Size([2, 3, 16, 16]), 0.0, 48.0)
    """

    def __init__(
        self, model: Any, config: SearchConfig | None = None, of: Literal["set", "responsibility"] = "set"
    ) -> None:
        if of not in ("set", "responsibility"):
            raise ValueError(f"of is {of!r}; use 'set' or 'responsibility'")
        self._model, self._of = model, of
        self._config = config or SearchConfig()
        if of == "responsibility":
            self._config = replace(self._config, keep_landscape=True)

    def attribute(self, inputs: Any, target: int | Tensor | list[int] | None = None) -> Any:
        """The attribution of each input.

        Args:
            inputs: (n, c, h, w) tensor, preprocessed for the model; or a tuple of one, as captum's metrics have it,
                which gives a tuple.
            target: index of the class, one for all or one an input; None: the model's top-1. Where it is not the
                top-1 a floor says how much of the class a set must give (`SearchConfig.target`).

        Returns:
            (n, c, h, w), in the type and on the device of the inputs; the same in every channel, since a set is of
            whole pixels.

        Raises:
            ValueError: inputs of another form; so many targets; an input without a set, and why there is none.
        """
        import torch

        if isinstance(inputs, tuple) and len(inputs) == 1:
            return (self.attribute(inputs[0], target),)
        if not isinstance(inputs, torch.Tensor):
            raise ValueError(f"inputs are a {type(inputs).__name__}; expected one tensor (n, c, h, w)")
        if inputs.ndim != 4:
            raise ValueError(f"inputs are {tuple(inputs.shape)}; expected (n, c, h, w)")
        n, channels = inputs.shape[:2]
        pixels = inputs.detach().float().cpu().numpy()
        images = [(str(i), np.ascontiguousarray(pixels[i])) for i in range(n)]
        targets = None if target is None else dict(zip(map(str, range(n)), _targets(target, n), strict=True))
        found = list(extract_mps(images, self._model, self._config, targets=targets))
        values = np.stack([self._values(record) for record in found]) if found else np.zeros((0, *inputs.shape[2:]))
        attribution = torch.from_numpy(values).to(inputs.device, inputs.dtype)
        return attribution[:, None].expand(-1, channels, -1, -1).clone()

    def _values(self, record: MpsRecord) -> Any:
        if record.mask is None:
            why = "the class is not on top; say a floor (`minimum_confidence_threshold`)"
            reason = why if record.reason.endswith(NEEDS_FLOOR) else record.reason
            raise ValueError(f"inputs[{record.key}] has no set ({record.status}: {reason})")
        if self._of == "set":
            return record.mask.astype(np.float32)
        if record.landscape is None:
            raise ValueError("this strategy makes no map of responsibility; use `of='set'`, or the strategy rex")
        return record.landscape


def _targets(target: Any, n: int) -> list[int]:
    """One index an input."""
    given = np.asarray(target.detach().cpu() if hasattr(target, "detach") else target)
    if given.dtype.kind not in "iu" or given.size not in (1, n) or given.ndim > 1:
        raise ValueError(f"target is {target!r}; expected an index, or one for each of {n} inputs")
    return [int(index) for index in np.broadcast_to(given, n)]
