"""Uniform draws from the candidates of a source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd

from mps_study.images.candidates import Candidate, SourceError
from mps_study.images.decoding import decode

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


@dataclass(frozen=True)
class Drawn:
    """Images that were drawn, and the encoded bytes of each by content-addressed file name."""

    manifest: pd.DataFrame
    files: dict[str, bytes]


def draw(candidates: Sequence[Candidate], half: str, n: int | None, seed: int) -> list[Candidate]:
    """`n` candidates drawn uniformly without replacement; all of them for None.

    The labelled half draws from candidates with a label. The unlabelled half draws from those without one if
    there are any, else from all (their labels are then ignored). The draw depends on the sorted ids, the half and
    the seed, not on the order of files.

    Raises:
        SourceError: fewer candidates than `n`.
    """
    labelled = [c for c in candidates if c.label is not None]
    unlabelled = [c for c in candidates if c.label is None]
    pool = labelled if half == "labelled" else (unlabelled or labelled)
    pool = sorted(pool, key=lambda candidate: candidate.image)
    if n is None:
        return pool
    if n > len(pool):
        raise SourceError(f"{n} {half} images were asked for, but the source has {len(pool)}; lower n or add images")
    random = np.random.default_rng(np.random.SeedSequence([seed, HALVES.index(half)]))
    return [pool[i] for i in sorted(random.choice(len(pool), size=n, replace=False))]


def collect(drawn: Iterable[tuple[Candidate, str, str]]) -> Drawn:
    """Read the drawn (candidate, half, source) triples into a manifest and content-addressed files.

    Raises:
        DecodingError: an image that cannot be decoded, by id.
    """
    rows, files = [], {}
    for candidate, half, source in drawn:
        content = candidate.read()
        digest = sha256(content).hexdigest()
        width, height = decode(content, candidate.image).size
        file = digest + candidate.suffix
        files[file] = content
        labelled = half == "labelled"
        rows.append(
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
    manifest = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    twice = manifest["image"][manifest["image"].duplicated()]
    if not twice.empty:
        raise SourceError(f"image id {twice.iloc[0]!r} was drawn twice; ids must be unique")
    return Drawn(manifest, files)
