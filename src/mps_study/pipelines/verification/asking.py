"""Asks one model again about all its records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.compute.opening import open_classifier
from mps_study.compute.reading import Reader
from mps_study.compute.searching import baseline_image, pixels_of
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.by_image import RecordsByImage
from mps_study.datasets.records.given_back import WHOLE, record_of
from mps_study.models.export.card import ModelCard
from mps_study.mps.config import SearchConfig
from mps_study.mps.proof.verification import verify_records
from mps_study.mps.types import MpsRecord
from mps_study.pipelines.fingerprint import baseline_bytes
from mps_study.project.parameters import Extraction

Row = tuple[str, str, str, str, bool, str]
"""Image, model, search, what was asked, whether it holds, and why not."""


def verify_model(
    card: ModelCard,
    model: Path,
    images: ImageFiles,
    manifest: pd.DataFrame,
    search_name: str,
    search: SearchConfig,
    extraction: Extraction,
    records: RecordsByImage,
) -> Iterator[Row]:
    """Rows of every record that has a set, in the order of the manifest; images that cannot be read come last.

    Records and images are in memory only while they are in flight.

    Raises:
        ValueError: the ONNX file is not the one that the card describes.
    """
    classifier, card = open_classifier(card, model, extraction.asking)
    wanted = [(str(image), str(file)) for image, file in manifest[["image", "file"]].itertuples(index=False, name=None)]
    reader = Reader(images, wanted)

    def asked() -> Iterator[tuple[MpsRecord, NDArray[np.float32]]]:
        for image, pixels in pixels_of(reader, card.preprocessing, reader.failed):
            row = records.record(image, card.name, WHOLE)
            if row is not None:
                yield record_of(row), pixels

    other = baseline_image(card.preprocessing, baseline_bytes(search))
    for found in verify_records(asked(), classifier, search, extraction.in_flight, other):
        for each in found:
            yield each.key, card.name, search_name, each.what, each.holds, each.reason
    for image, reason in (reader.failed | reader.unread).items():
        yield image, card.name, search_name, "image", False, reason
