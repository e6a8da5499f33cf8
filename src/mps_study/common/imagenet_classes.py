"""ImageNet-1k's classes: wnid, index, and the short name that people know them by.

Source: timm's tables, with which the tests compare; the name is the first of a class's WordNet lemmas there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib import resources

IMAGENET_CLASSES = 1000


def imagenet_names() -> dict[int, str]:
    """Class index -> short name."""
    return dict(_classes().values())


def imagenet_labels(wnids: Iterable[str]) -> dict[str, tuple[int, str]] | None:
    """Wnid -> (class index, short name); None unless there are some, and all are of ImageNet-1k."""
    known = _classes()
    wanted = set(wnids)
    return {wnid: known[wnid] for wnid in wanted} if wanted and wanted <= known.keys() else None


@cache
def _classes() -> dict[str, tuple[int, str]]:
    """Wnid -> (class index, short name), in the order of the index."""
    table = resources.files("mps_study.common").joinpath("imagenet_classes.csv").read_text(encoding="utf-8")
    return {row["wnid"]: (index, row["name"]) for index, row in enumerate(csv.DictReader(table.splitlines()))}
