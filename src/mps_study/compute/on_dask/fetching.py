"""Models on a worker: found where the client has them, or fetched from it once, and checked by their sha256."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mps_study.common.digests import digest_of_files
from mps_study.compute.jobs import Job
from mps_study.models.export.exported import files_of

CACHE = "MPS_STUDY_CACHE"
"""Environment variable: the folder in which a worker keeps what it fetched."""

BLOCK = 8 << 20
"""Bytes of a model that travel at a time."""


def cache_folder() -> Path:
    """Where a worker keeps what it fetched."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "mps-study")


def model_here(job: Job) -> Path | None:
    """The job's model, as the client has it or as it was fetched; None if neither is the one of the card."""
    for path in (job.model, _place(job.card.digest) / job.model.name):
        if path.is_file() and digest_of_files(*files_of(path)) == job.card.digest:
            return path
    return None


def blocks_of(model: Path) -> Iterator[tuple[str, bytes]]:
    """(file, bytes) of an ONNX file and its external data, in the order in which a worker takes them."""
    for path in files_of(model):
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield path.name, block


def begin_fetching(digest: str) -> str:
    """An empty folder for a model that is fetched from now on."""
    place = _place(digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=f"{digest[:16]}.", suffix=".partial", dir=place.parent)


def take_block(folder: str, file: str, block: bytes) -> None:
    """Append to a file of the model that is fetched into the folder."""
    if Path(file).name != file:
        raise ValueError(f"a model's file is called {file!r}; it must lie beside the model")
    with (Path(folder) / file).open("ab") as target:
        target.write(block)


def end_fetching(folder: str, digest: str, file: str) -> None:
    """Put the model in its place, unless another worker of this machine has done so.

    Raises:
        ValueError: what has arrived is not the model that was sent.
    """
    if digest_of_files(*files_of(Path(folder) / file)) != digest:
        shutil.rmtree(folder)
        raise ValueError(f"{file} did not arrive as it was sent (its sha256 differs)")
    place = _place(digest)
    shutil.rmtree(place, ignore_errors=True)
    try:
        Path(folder).replace(place)
    except OSError:  # the other one was quicker; what it has put there is checked before it is opened
        shutil.rmtree(folder)


def _place(digest: str) -> Path:
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is no sha256")
    return cache_folder() / "models" / digest
