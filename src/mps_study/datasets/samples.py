"""The sample that is there: known again by its request, and whole or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from mps_study.datasets.frames import newest
from mps_study.datasets.images import ImageFiles

REQUEST = "request"
"""Where a frame keeps what it was made for, in the attributes that Parquet stores with it: both or neither."""


class StoredSample:
    """A manifest and its images, read when asked for: another process may be drawing them until then."""

    def __init__(self, manifest: Path, images: Path) -> None:
        self._manifest, self._images = manifest, ImageFiles(images)

    def drawn_for(self, request: dict[str, Any]) -> pd.DataFrame | None:
        """The newest manifest if it was drawn for this request and all its images are here; None if not."""
        manifest = self.manifest()
        same = manifest.attrs.get(REQUEST) == request
        return manifest if same and all(self._images.has(file) for file in manifest["file"]) else None

    def manifest(self) -> pd.DataFrame:
        """The newest manifest; an empty frame if there is none."""
        return newest(self._manifest)


class SampleSoFar(AbstractDataset[None, StoredSample]):
    """Loads the `StoredSample` of a manifest (`filepath`) and a folder of images (`path`)."""

    def __init__(self, filepath: str, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._manifest, self._images = Path(filepath), Path(path)
        self.metadata = metadata

    def load(self) -> StoredSample:
        """The sample; there need not be one yet."""
        return StoredSample(self._manifest, self._images)

    def save(self, data: None) -> None:
        """Never called: manifest and images are saved."""
        raise DatasetError("a sample is saved as its manifest and its images")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._manifest), "path": str(self._images)}


def named_classes(manifest: pd.DataFrame) -> dict[int, str]:
    """Class index -> name, of the classes that a manifest's images name."""
    if manifest.empty:
        return {}
    named = manifest.dropna(subset=["label", "class_name"])
    return {int(label): str(name) for label, name in zip(named["label"], named["class_name"], strict=True)}


def with_request(frame: pd.DataFrame, request: dict[str, Any]) -> pd.DataFrame:
    """The frame, which now says what it was made for."""
    frame.attrs[REQUEST] = request
    return frame
