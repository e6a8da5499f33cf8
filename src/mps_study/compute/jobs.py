"""What whoever searches must know, and what comes back: plain objects that can travel to another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mps_study.compute.asking import Asking
from mps_study.compute.reading import Reader
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.throughput import Throughput
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import ENGINE_VERSION, MpsRecord

Targets = int | Mapping[str, int] | None
"""What `extract_mps` takes: the class that the sets keep, or image -> class; None for the top-1."""

MapsByImage = Mapping[str, NDArray[np.float32]] | None
"""What it takes, too: image -> (h, w), by which its pixels are ranked; None for a search that reads no map."""


@dataclass(frozen=True)
class Job:
    """One model and search.

    Args:
        name: of the model and search (`common.searches.unit_name`); what is found goes by it.
        card: the model's. It says, too, how the model is asked fastest on machines where that was measured.
        model: path of the ONNX file. Where it is not to be seen, the file is fetched; its sha256 is the card's.
        baseline: encoded bytes of the image that `baseline: image` names.
        engine: version of the engine. Another one would find other records.
    """

    name: str
    card: ModelCard
    model: Path
    search: SearchConfig
    asking: Asking
    baseline: bytes | None = None
    engine: int = ENGINE_VERSION


@dataclass(frozen=True)
class Work:
    """A job and the images that are to be searched: how many, their bytes, their targets, and maps, read one by one.

    `seconds` of one worker that an image is expected to take.
    """

    job: Job
    images: int
    reader: Reader
    targets: Targets = None
    seconds: float = 1.0
    maps: MapsByImage = None


@dataclass(frozen=True)
class Found:
    """Some records of a job, and what was learnt on the way.

    Args:
        job: its name.
        records: in any order.
        made_with: device and versions that the records come from.
        measured: machine -> how the model is asked fastest there.
        rows: mutants that the model answered, those asked again included.
        error: why nothing more comes of this job.
        done: whether nothing more comes of this job.
    """

    job: str
    records: Sequence[MpsRecord] = ()
    made_with: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Throughput] = field(default_factory=dict)
    rows: int = 0
    error: Exception | None = None
    done: bool = False


class Runner(Protocol):
    """Searches the images of jobs, somewhere."""

    def rounds(self, names: Sequence[str]) -> list[list[str]]:
        """Which jobs should be given to `run` together."""

    def run(self, works: Sequence[Work]) -> Iterator[Found]:
        """What is found, as it is found; of each job a last one that says `done`."""


class LostError(RuntimeError):
    """Nobody is left who could work; what was found until then has been handed over."""


RunnerContext = AbstractContextManager[Runner]
