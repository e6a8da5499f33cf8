"""Drawn images, content-addressed: a file's name is the sha256 of its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from mps_study.datasets.files import TEMPORARY, sweep, write_bytes


class ImageFiles(Mapping[str, bytes]):
    """File name -> encoded bytes, read when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, file: str) -> bytes:
        path = self.folder / file[:2] / file
        if not path.is_file():
            raise KeyError(
                f"image file {file} is missing in {self.folder}; run `kedro run --pipeline data_sampling` again"
            )
        return path.read_bytes()

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in sorted(self.folder.glob("??/*")) if path.suffix != TEMPORARY)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ImageStore(AbstractDataset[dict[str, bytes], ImageFiles]):
    """Saves a dictionary of file name -> bytes, leaving files that are there; loads an `ImageFiles`."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: dict[str, bytes]) -> None:
        """Add the files that are not there yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        sweep(self._folder, "*/*")
        for file, content in data.items():
            path = self._folder / file[:2] / file
            if not path.exists():
                write_bytes(path, content)

    def load(self) -> ImageFiles:
        """The files, read lazily."""
        if not self._folder.is_dir():
            raise DatasetError(f"no images in {self._folder}; run `kedro run --pipeline data_sampling` first")
        return ImageFiles(self._folder)

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
