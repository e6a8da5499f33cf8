"""Fine-tunes a roster entry on labelled images, whatever its preprocessing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from mps_study.common.cores import cores
from mps_study.models.export.from_timm import preprocessing_of
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.training.recipe import Recipe
from mps_study.models.training.surroundings import seeded
from mps_study.models.training.training import Ledger, Trained, fine_tune
from mps_study.models.weights.loading import load_model

READERS = 8
"""Processes, at most, that decode images ahead of a GPU."""

IN_MEMORY_BYTES = 256 * 2**20
"""Training sets whose preprocessed pixels fit here are kept in memory; larger ones are decoded anew each epoch."""


def fine_tune_entry(
    name: str,
    entry: ModelEntry,
    images: Sequence[Callable[[], Image.Image]],
    labels: Sequence[int],
    recipe: Recipe,
    device: str = "auto",
    ledger: Ledger | None = None,
) -> Trained:
    """Train one model.

    `weights: fine_tuned` starts from random weights drawn with the recipe's seed; `fine_tuned:ORIGIN` from any other
    origin of weights (`fine_tuned:hub`), whose head is then replaced.

    Args:
        images: callables that give each RGB image when it is needed.
        labels: class indices, from 0, below the entry's number of classes.
        ledger: keeps the state after each epoch, for a run that is killed.
    """
    origin = entry.weights.partition(":")[2] or f"random:{recipe.seed}"
    with seeded(recipe.seed):
        model = load_model(name, entry.model_copy(update={"weights": origin}))
    preprocessing = preprocessing_of(entry, model)
    pixels = _Pixels(images, preprocessing)
    size = 4 * math.prod(preprocessing.shape) * len(images)
    fits = size <= IN_MEMORY_BYTES
    inputs = np.stack(list(pixels)) if fits else pixels
    # A GPU would wait for a single process that decodes; a CPU has none to spare.
    workers = 0 if fits or device == "cpu" or not torch.cuda.is_available() else min(READERS, cores())
    with _one_thread():
        return fine_tune(model, inputs, np.asarray(labels), recipe, ledger=ledger, device=device, workers=workers)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one CPU thread inside: the weights do not depend on the number of cores, and threads that wait
    for each other cost small models more than they give."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Pixels(Dataset[torch.Tensor]):
    """Preprocessed pixels (c, h, w) of image i, decoded when asked for."""

    def __init__(self, images: Sequence[Callable[[], Image.Image]], preprocessing: Preprocessing) -> None:
        self.images = images
        self.preprocessing = preprocessing

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        if index >= len(self.images):
            raise IndexError(index)
        return torch.from_numpy(self.preprocessing.pixels(self.images[index]()))

    def __iter__(self) -> Any:
        return (self[i].numpy() for i in range(len(self)))
