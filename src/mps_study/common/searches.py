"""What a study's searches are called, wherever they are met: in frames, claims, notes, logs and runs."""

from __future__ import annotations

OWN = "study"
"""The study's own search, the one of `search` in conf: the paper's tables, figures and tests are about it."""


def unit_name(model: str, search: str) -> str:
    """The name of one unit of work, a model and a search: `resnet` for the study's own, else `resnet, minimal`.

    No comma can be in a model's name or a search's, so no two units share one.
    """
    return model if search == OWN else f"{model}, {search}"


def part_name(model: str, search: str, part: object) -> str:
    """The name of a part of such a unit: `resnet, study, 3 of 16`. It has three pieces, so no unit shares it."""
    return f"{model}, {search}, {part}"


def model_of(unit: str) -> str:
    """The model of a unit of work."""
    return unit.partition(", ")[0]
