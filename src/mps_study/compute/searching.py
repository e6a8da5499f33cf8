"""One job's images, searched in this process: the same few lines wherever they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mps_study.compute.jobs import Job, Targets
from mps_study.images.decoding import decode
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.search import extract_mps
from mps_study.mps.types import FAILED, Classifier, MpsRecord, Target


def search_pictures(
    job: Job, pictures: Iterable[tuple[str, Image.Image]], classifier: Classifier, targets: Targets
) -> Iterator[MpsRecord]:
    """A record of each (image, picture), in their order, as they are finished; they are read lazily."""
    preprocessing = job.card.preprocessing
    pixels = ((image, preprocessing.pixels(picture)) for image, picture in pictures)
    other = baseline_image(preprocessing, job.baseline)
    return extract_mps(pixels, classifier, job.search, job.asking.in_flight, baseline_image=other, targets=targets)


def baseline_image(preprocessing: Preprocessing, encoded: bytes | None) -> NDArray[np.float32] | None:
    """(c, h, w) float32: the image that `baseline: image` names, as this model sees it; None for other baselines."""
    return None if encoded is None else preprocessing.pixels(decode(encoded, "search.baseline"))


def failed_record(image: str, reason: str) -> MpsRecord:
    """The record of an image that cannot be searched, now or later."""
    nothing = Target(-1, float("nan"))
    return MpsRecord(image, FAILED, reason, nothing, None, float("nan"), calls=0, evaluations=0)
