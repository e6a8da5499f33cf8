"""The hyper-parameters of one fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

from mps_study.common.numbers import plain


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained: a linear probe, then all weights, stopped by held-out images.

    The paper fine-tunes on Caltech-256 without naming a recipe; these are the two usual phases.
    Both use AdamW, a linear warm-up and a cosine decay to zero.

    Attributes:
        probe_epochs: Epochs, at most, in which only the classifier layer trains. 0 for a model
            without pretrained weights.
        epochs: Epochs, at most, in which all weights train.
        batch_size: Images a step.
        learning_rate: Highest rate while all weights train.
        probe_learning_rate: Highest rate of the linear probe.
        weight_decay: AdamW's; biases, normalisations and other vectors have none.
        warmup: Share of a phase's steps in which the rate climbs, in [0, 1).
        label_smoothing: Share of the target spread over all classes, in [0, 1).
        holdout: Share of the images held out of training, of each class alike, in (0, 0.5].
        patience: Epochs without a better one on the held-out images before a phase stops.
        seed: Decides split, order, augmentation and dropout.
        shift: Largest random shift, a share of the image's side, in [0, 0.5].
        rotation: Largest random rotation to either side, degrees.
        flip: Whether half of the images, at random, are mirrored left to right.
        layer_decay: Rate of a layer over that of the layer behind it, in (0, 1]: below 1 it spares
            the early layers of a pretrained model.
        bfloat16: Whether the model runs in mixed precision: faster, half the memory.
        checkpointing: Whether activations are recomputed instead of kept, by models that can: far less memory, a third
            more time.

    Raises:
        TypeError: a value is of the wrong type.
        ValueError: a value is out of range, or nothing would train.
    """

    probe_epochs: int
    epochs: int
    batch_size: int
    learning_rate: float
    probe_learning_rate: float
    weight_decay: float
    warmup: float
    label_smoothing: float
    holdout: float
    patience: int
    seed: int
    shift: float = 0.0
    rotation: float = 0.0
    flip: bool = False
    layer_decay: float = 1.0
    bfloat16: bool = False
    checkpointing: bool = False

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, plain(getattr(self, each.name)))
            _check_type(each.name, str(each.type), getattr(self, each.name))
        for name, (rule, holds) in _RULES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and holds(value)):
                raise ValueError(f"fine-tuning: {name} should be {rule}, got {value}")
        if self.probe_epochs + self.epochs == 0:
            raise ValueError("fine-tuning: nothing would train; raise epochs or probe_epochs")


def _check_type(name: str, wanted: str, value: object) -> None:
    fits = isinstance(value, int) or (wanted == "float" and isinstance(value, float))
    if fits and isinstance(value, bool) == (wanted == "bool"):
        return
    hint = " (YAML reads 1e-3 as text: write 1.0e-3)" if isinstance(value, str) else ""
    raise TypeError(f"fine-tuning: {name} should be of type {wanted}, got {value!r}{hint}")


_RULES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "probe_epochs": ("0 or more", lambda v: v >= 0),
    "epochs": ("0 or more", lambda v: v >= 0),
    "batch_size": ("1 or more", lambda v: v >= 1),
    "learning_rate": ("a finite number above 0", lambda v: v > 0),
    "probe_learning_rate": ("a finite number above 0", lambda v: v > 0),
    "weight_decay": ("a finite number, 0 or more", lambda v: v >= 0),
    "warmup": ("a share in [0, 1)", lambda v: 0 <= v < 1),
    "label_smoothing": ("a share in [0, 1)", lambda v: 0 <= v < 1),
    "holdout": ("a share in (0, 0.5]", lambda v: 0 < v <= 0.5),
    "patience": ("1 or more", lambda v: v >= 1),
    "seed": ("in [0, 2**32)", lambda v: 0 <= v < 2**32),
    "shift": ("a share in [0, 0.5]", lambda v: 0 <= v <= 0.5),
    "rotation": ("degrees in [0, 180]", lambda v: 0 <= v <= 180),
    "layer_decay": ("in (0, 1]", lambda v: 0 < v <= 1),
}
