"""What runs on a worker of a cluster: units, each of some images of one model and search, whose bytes come with it."""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image

from mps_study.compute.asking import Asking
from mps_study.compute.jobs import Found, Job, Targets
from mps_study.compute.on_dask.fetching import cache_folder, model_here
from mps_study.compute.opening import measurements, opened
from mps_study.compute.reading import is_whole
from mps_study.compute.searching import failed_record, search_pictures
from mps_study.images.decoding import DecodingError, decode
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.inference.made_with import made_with
from mps_study.models.inference.throughput import Throughput, machine
from mps_study.mps.types import ENGINE_VERSION

DAY = 24 * 3600


class Sent(NamedTuple):
    """An image on its way to a worker: its encoded bytes, and the digest that they must have on arrival.

    With it comes the map (h, w) by which its pixels are ranked, and that one's digest, where the search reads one.
    """

    image: str
    sha256: str
    content: bytes
    map: NDArray[np.float32] | None = None
    map_sha256: str = ""

    @property
    def size(self) -> int:
        """Bytes that travel."""
        return len(self.content) + (0 if self.map is None else self.map.nbytes)


@dataclass(frozen=True)
class Answer:
    """What a worker says of a unit: what it found; or that it has not got the model; or an error."""

    found: Found | None = None
    error: Exception | None = None
    seconds: float = 0.0

    @property
    def lacks_model(self) -> bool:
        """Whether the model has to be sent before this worker can do the unit."""
        return self.found is None and self.error is None


class _Open(NamedTuple):
    """The classifier that is kept open, and of what it is. One: a worker must not need the memory of several."""

    key: tuple[str, Asking]
    classifier: OnnxClassifier


_one_at_a_time = threading.Lock()
_kept: list[_Open] = []


def search_unit(run: str, job: Job, images: Sequence[Sent], targets: Targets) -> Answer:
    """The records of some images. The model stays open for the next unit; a worker does one unit at a time.

    Args:
        run: a name of the client's run: workers of one machine measure a model once in it.
        job: the model and search.
        images: with their bytes, and their maps where the search reads them.
        targets: of these images, as `extract_mps` takes them.
    """
    with _one_at_a_time:
        try:
            if job.engine != ENGINE_VERSION:
                raise ValueError(
                    f"a worker has version {ENGINE_VERSION} of the search, but {job.engine} is asked for; install the "
                    "same mps-study on all machines"
                )
            if any(not is_whole(sent.content, sent.sha256) for sent in images):
                raise ValueError("an image did not arrive as it was sent (its sha256 differs)")
            maps = {sent.image: sent.map for sent in images if sent.map is not None}
            if any(sent.map_sha256 != digest_of_map(maps.get(sent.image)) for sent in images):
                raise ValueError("a map did not arrive as it was sent (its sha256 differs)")
            classifier = _classifier(run, job)
            if classifier is None:
                return Answer()
            began, rows = time.perf_counter(), classifier.rows
            failed: dict[str, str] = {}
            records = list(search_pictures(job, _pictures(images, failed), classifier, targets, maps, failed))
            records += [failed_record(image, reason) for image, reason in failed.items()]
            learnt = measurements(classifier, job.asking)
            found = Found(job.name, records, made_with(classifier), learnt, classifier.rows - rows)
            return Answer(found, seconds=time.perf_counter() - began)
        except Exception as error:
            return Answer(error=_portable(error))


def digest_of_map(found: NDArray[np.float32] | None) -> str:
    """Of its shape and values; empty where there is none."""
    return "" if found is None else hashlib.sha256(f"{found.shape} ".encode() + found.tobytes()).hexdigest()


def _pictures(images: Sequence[Sent], failed: dict[str, str]) -> Iterator[tuple[str, Image.Image]]:
    for sent in images:
        try:
            picture = decode(sent.content, sent.image)
        except DecodingError as error:
            failed[sent.image] = str(error)
            continue
        yield sent.image, picture


def _classifier(run: str, job: Job) -> OnnxClassifier | None:
    """The classifier, open already or opened now; None if its model is not here."""
    key = (job.card.digest, job.asking)
    if not _kept or _kept[0].key != key:
        _kept.clear()  # before the next is opened: the two together might not fit into memory
        path = model_here(job)
        if path is None:
            return None
        _kept.append(_Open(key, _opened(run, job, path)))
    return _kept[0].classifier


def _opened(run: str, job: Job, path: Path) -> OnnxClassifier:
    """Asked as the parameters say, or as the card says that it is fastest here, or as is measured now."""
    classifier = opened(job.card, path, job.asking)
    if job.asking.batch_size or job.asking.workers:
        return classifier
    here = machine(classifier.device, classifier.precision)
    if known := job.card.throughput.get(here):
        classifier.adopt(known)
        return classifier
    name = hashlib.sha256(f"{run} {job.card.digest} {here}".encode()).hexdigest()
    file = cache_folder() / "throughput" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    for old in file.parent.glob("*"):
        with suppress(OSError):  # another worker may have removed it
            if time.time() - old.stat().st_mtime > DAY:
                old.unlink()
    with FileLock(file.with_suffix(".lock")):  # two that measure at a time would measure each other
        if file.is_file():
            classifier.adopt(Throughput.model_validate_json(file.read_text()))
        else:
            _ = classifier.batch_size  # measures
            if classifier.measured:
                file.write_text(classifier.measured.model_dump_json())
    return classifier


def _portable(error: Exception) -> Exception:
    """The error with its traceback in words, as one that can travel."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # it takes other arguments than its message
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
