"""Drawn images, content-addressed: a file's name is the sha256 of its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview
from PIL import Image, ImageOps

from mps_study.common.commands import kedro_run
from mps_study.datasets.files import TEMPORARY, sweep, write_bytes
from mps_study.datasets.previews import image_preview
from mps_study.images.decoding import decode

THUMBNAIL = 96
"""Side in pixels of an image in the preview."""


class ImageFiles(Mapping[str, bytes]):
    """File name -> encoded bytes, read when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, file: str) -> bytes:
        if not self.has(file):
            raise KeyError(
                f"image file {file} is missing in {self.folder}; draw it again: `{kedro_run('data_sampling')}`"
            )
        return self._path(file).read_bytes()

    def has(self, file: str) -> bool:
        """Whether the file is here; it is not read."""
        return self._path(file).is_file()

    def _path(self, file: str) -> Path:
        return self.folder / file[:2] / file

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
            raise DatasetError(f"no images in {self._folder}; draw them first: `{kedro_run('data_sampling')}`")
        return ImageFiles(self._folder)

    def preview(self, columns: int = 6, rows: int = 4) -> ImagePreview:
        """The first images, by name, for Kedro-Viz."""
        files = self.load()
        sheet = Image.new("RGB", (columns * THUMBNAIL, rows * THUMBNAIL), "white")
        for place, file in enumerate(islice(files, columns * rows)):
            row, column = divmod(place, columns)
            thumbnail = ImageOps.fit(decode(files[file], file), (THUMBNAIL, THUMBNAIL))
            sheet.paste(thumbnail, (column * THUMBNAIL, row * THUMBNAIL))
        return image_preview(sheet)

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
