"""ImageNet's class numbers, as timm knows them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache


def imagenet_labels(wnids: Iterable[str]) -> dict[str, tuple[int, str]] | None:
    """Wnid -> (class index, short name); None unless there are some, and all are of ImageNet-1k."""
    known = _imagenet()
    wanted = set(wnids)
    return {wnid: known[wnid] for wnid in wanted} if wanted and wanted <= known.keys() else None


@cache
def _imagenet() -> dict[str, tuple[int, str]]:
    from timm.data import ImageNetInfo  # type: ignore[attr-defined]

    info = ImageNetInfo()
    wnids = info.label_names()  # type: ignore[no-untyped-call]
    return {wnid: (index, info.index_to_description(index).split(",")[0]) for index, wnid in enumerate(wnids)}
