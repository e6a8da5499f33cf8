"""Which annotation is of which image: by the file's name, and by its folders where several have it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import takewhile
from pathlib import PurePosixPath

from mps_study.images.candidates import SUFFIXES, SourceError


def matched(images: Iterable[str], names: Iterable[str], where: str) -> dict[str, str]:
    """Image -> the annotation of the same file name, whatever its suffix; images without one are left out.

    Of several of one name it is the one that shares most of the path from its end: `cat/1.jpg` is marked in
    `train/cat/1.xml`, not in `train/dog/1.xml`.

    Raises:
        SourceError: which of several it is cannot be told, or two images would have the same.
    """
    by_file: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_file[_parts(name)[0]].append(name)
    found: dict[str, tuple[int, str]] = {}
    for image in images:
        ranked = sorted((_shared(image, name), name) for name in by_file.get(_parts(image)[0], ()))
        if len(ranked) > 1 and ranked[-1][0] == ranked[-2][0]:
            raise SourceError(
                f"{where}: both {ranked[-2][1]!r} and {ranked[-1][1]!r} may be of image {image!r}; name them by the "
                "image's folders"
            )
        if ranked:
            found[image] = ranked[-1]
    best: dict[str, int] = {}
    for shared, name in found.values():
        best[name] = max(best.get(name, 0), shared)
    kept = {image: name for image, (shared, name) in found.items() if shared == best[name]}
    twice = [name for name, times in Counter(kept.values()).items() if times > 1]
    if twice:
        one, other = [image for image, name in kept.items() if name == twice[0]][:2]
        raise SourceError(
            f"{where}: {twice[0]!r} may be of image {one!r} or {other!r}; name annotations by the images' folders"
        )
    return kept


def _shared(image: str, name: str) -> int:
    """How many parts of two paths agree, from the end; more than any if they are the same."""
    if image == name:
        return len(image)
    pairs = zip(_parts(image), _parts(name), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(name: str) -> tuple[str, ...]:
    """The file's name without an image's suffix, then its folders from the innermost."""
    path = PurePosixPath(name.replace("\\", "/"))
    stem = path.stem if path.suffix.lower() in SUFFIXES else path.name
    return (stem, *path.parts[-2::-1])
