"""What goes to captum and comes from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.common.chance import generator
from mps_study.saliency.method import Case, Map

if TYPE_CHECKING:
    import torch


def tensor(values: NDArray[np.float32]) -> torch.Tensor:
    """(c, h, w) -> (1, c, h, w)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(values)[None])


def attributions(found: torch.Tensor, of: int = 1) -> Map:
    """(1, c, h, w) of captum -> (h, w), summed over the channels; their mean where `of` is their number."""
    return cast(Map, (found.detach().cpu()[0].sum(dim=0) / of).numpy().astype(np.float32))


@contextmanager
def chance_of(case: Case, purpose: str) -> Iterator[None]:
    """Torch's global state of chance is the image's own inside, and as before afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(generator(purpose, case.seed, case.key).integers(2**63)))
        yield
