"""Uniform draws from the candidates of a source."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from mps_study.images.candidates import Candidate, SourceError, UnreadableError
from mps_study.images.decoding import DecodingError, decode

log = logging.getLogger(__name__)

HALVES = ("labelled", "unlabelled")
COLUMNS = {
    "image": "string",
    "file": "string",
    "sha256": "string",
    "half": "string",
    "label": "Int64",
    "class_name": "string",
    "source": "string",
    "width": "Int64",
    "height": "Int64",
}
"""The manifest: one row an image."""


LEFT_OUT = {"image": "string", "half": "string", "source": "string", "reason": "string"}
"""One row for each image that was drawn and could not be used, with the reason."""


@dataclass
class Drawn:
    """Images that were drawn and read.

    Attributes:
        rows: of the manifest.
        files: the encoded bytes of each by content-addressed file name.
        left_out: rows of `LEFT_OUT`.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)
    _first: dict[str, str] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    @property
    def manifest(self) -> pd.DataFrame:
        """One row an image.

        Raises:
            SourceError: two of the same id.
        """
        manifest = pd.DataFrame(self.rows, columns=list(COLUMNS)).astype(COLUMNS)
        twice = manifest["image"][manifest["image"].duplicated()]
        if not twice.empty:
            raise SourceError(f"image id {twice.iloc[0]!r} was drawn twice; ids must be unique")
        return manifest

    @property
    def left_out_frame(self) -> pd.DataFrame:
        """The columns of `LEFT_OUT`."""
        return pd.DataFrame(self.left_out, columns=list(LEFT_OUT)).astype(LEFT_OUT)

    def take(self, candidate: Candidate, half: str, source: str, once: bool = True) -> bool:
        """Read a candidate; False, with a warning and a row of `left_out`, if it cannot be used.

        That is an image that cannot be read or decoded, or, if `once`, that has the same bytes as one before it. An id
        that an image of another source has already gets the half in front of it.
        """
        if candidate.image in self._ids:
            candidate = replace(candidate, image=f"{half}/{candidate.image}")
        self._ids.add(candidate.image)
        try:
            content = candidate.read()
            width, height = decode(content, candidate.image).size
        except (DecodingError, UnreadableError) as error:
            return self._leave_out(candidate, half, source, str(error))
        digest = sha256(content).hexdigest()
        first = self._first.setdefault(digest, candidate.image)
        if once and first != candidate.image:
            why = f"image {candidate.image!r} has the same bytes as {first!r}, which is in the sample"
            return self._leave_out(candidate, half, source, why)
        file = digest + candidate.suffix
        self.files[file] = content
        labelled = half == "labelled"
        self.rows.append(
            {
                "image": candidate.image,
                "file": file,
                "sha256": digest,
                "half": half,
                "label": candidate.label if labelled else None,
                "class_name": candidate.class_name if labelled else None,
                "source": source,
                "width": width,
                "height": height,
            }
        )
        return True

    def _leave_out(self, candidate: Candidate, half: str, source: str, reason: str) -> bool:
        log.warning("left out of the %s images: %s", half, reason)
        self.left_out.append({"image": candidate.image, "half": half, "source": source, "reason": reason})
        return False


def draw(candidates: Sequence[Candidate], half: str, n: int | None, seed: int) -> list[Candidate]:
    """`n` candidates drawn uniformly without replacement; all of them for None.

    The labelled half draws from candidates with a class. The unlabelled half draws from those without one if
    there are any, else from all (their labels are then ignored). The draw depends on the sorted ids, the half and
    the seed, not on the order of files.

    Raises:
        SourceError: fewer candidates than `n`.
    """
    pool = _pool(candidates, half)
    if n is None:
        return pool
    if n > len(pool):
        raise SourceError(f"{n} {half} images were asked for, but the source has {len(pool)}; lower n or add images")
    random = np.random.default_rng(np.random.SeedSequence([seed, HALVES.index(half)]))
    return [pool[i] for i in sorted(random.choice(len(pool), size=n, replace=False))]


def spares(candidates: Sequence[Candidate], half: str, chosen: Sequence[Candidate], seed: int) -> Iterator[Candidate]:
    """The candidates that `draw` did not choose, in an order drawn from the seed.

    Taking them in this order in the place of those that cannot be used draws uniformly from those that can.
    """
    taken = {candidate.image for candidate in chosen}
    pool = [candidate for candidate in _pool(candidates, half) if candidate.image not in taken]
    random = np.random.default_rng(np.random.SeedSequence([seed, HALVES.index(half), 1]))
    return (pool[i] for i in random.permutation(len(pool)))


def _pool(candidates: Sequence[Candidate], half: str) -> list[Candidate]:
    labelled = [c for c in candidates if c.has_class]
    unlabelled = [c for c in candidates if not c.has_class]
    pool = labelled if half == "labelled" else (unlabelled or labelled)
    return sorted(pool, key=lambda candidate: candidate.image)


def collect(
    candidates: Sequence[Candidate], half: str, n: int, seed: int, source: str, drawn: Drawn, spent: int = 0
) -> None:
    """Draw `n` candidates into `drawn`: those that `draw` chooses, and another one for each that cannot be used.

    A source with too few usable images gives those that it has, and a warning says so. `spent`: images of this very
    source that could not be used for the other half, and are no candidates any more.

    Raises:
        SourceError: fewer candidates than `n`, or not one that can be used.
    """
    pool = len(_pool(candidates, half))
    chosen = draw(candidates, half, pool if pool < n <= pool + spent else n, seed)
    others = spares(candidates, half, chosen, seed)
    got, refused = 0, len(drawn.left_out)
    for candidate in chosen:
        got += any(drawn.take(each, half, source) for each in chain([candidate], others))
    if n and not got:
        why = drawn.left_out[refused]["reason"] if drawn.left_out[refused:] else "the source has none left"
        raise SourceError(f"none of the {n} {half} images can be used; the first: {why}")
    if got < n:
        log.warning("%d %s images were asked for, the sample has %d: the source has no other to use", n, half, got)


def collect_all(candidates: Iterable[Candidate], half: str, source: str) -> Drawn:
    """All candidates that can be used, those with the same bytes as another included."""
    drawn = Drawn()
    for candidate in candidates:
        drawn.take(candidate, half, source, once=False)
    return drawn
