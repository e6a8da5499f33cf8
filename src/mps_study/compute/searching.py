"""One job's images, searched in this process: the same few lines wherever they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mps_study.compute.jobs import Job, MapsByImage, Targets
from mps_study.images.decoding import decode
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.search import extract_mps
from mps_study.mps.types import FAILED, Classifier, MpsRecord, Target


def search_pictures(
    job: Job,
    pictures: Iterable[tuple[str, Image.Image]],
    classifier: Classifier,
    targets: Targets,
    maps: MapsByImage,
    failed: dict[str, str],
) -> Iterator[MpsRecord]:
    """A record of each (image, picture), in their order, as they are finished; they are read lazily.

    Those that have not the model's channels get none; `failed` is told why.
    """
    preprocessing = job.card.preprocessing
    pixels = pixels_of(pictures, preprocessing, failed)
    other = baseline_image(preprocessing, job.baseline)
    return extract_mps(pixels, classifier, job.search, job.asking.in_flight, maps, other, targets)


def pixels_of(
    pictures: Iterable[tuple[str, Image.Image]], preprocessing: Preprocessing, failed: dict[str, str]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """(image, pixels) of each that has the model's channels; the others have failed, and finally."""
    for image, picture in pictures:
        try:
            pixels = preprocessing.pixels(picture)
        except ValueError as error:
            failed[image] = f"image {image!r}: {error}"
            continue
        yield image, pixels


def baseline_image(preprocessing: Preprocessing, encoded: bytes | None) -> NDArray[np.float32] | None:
    """(c, h, w) float32: the image that `baseline: image` names, as this model sees it; None for other baselines.

    Raises:
        ValueError: it has not the model's channels.
    """
    if encoded is None:
        return None
    try:
        return preprocessing.pixels(decode(encoded, "search.baseline"))
    except ValueError as error:
        raise ValueError(f"search.baseline: {error}") from None


def failed_record(image: str, reason: str) -> MpsRecord:
    """The record of an image that cannot be searched, now or later."""
    nothing = Target(-1, float("nan"))
    return MpsRecord(image, FAILED, reason, nothing, None, float("nan"), calls=0, evaluations=0)
