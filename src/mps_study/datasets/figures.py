"""Figures as files, with the reasons for those that have nothing to show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview
from PIL import Image

from mps_study.datasets.files import write_bytes
from mps_study.datasets.previews import image_preview

REASONS = "not_shown.json"
Pictures = dict[str, bytes | str]
"""File name -> its bytes; or figure name -> the sentence that says why there is nothing to show."""


class FigureFiles(AbstractDataset[Pictures, Pictures]):
    """Saves pictures into a folder, replacing what an earlier run left there; loads them again."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: Pictures) -> None:
        """Write every picture, remove those that are no longer made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            if old.is_file() and old.name not in data:
                old.unlink()
        for name, picture in data.items():
            if isinstance(picture, bytes):
                write_bytes(self._folder / name, picture)
        reasons = {name: reason for name, reason in data.items() if isinstance(reason, str)}
        write_bytes(self._folder / REASONS, json.dumps(reasons, indent=2).encode())

    def load(self) -> Pictures:
        """What was saved."""
        pictures: Pictures = dict(json.loads((self._folder / REASONS).read_text()))
        for path in sorted(self._folder.iterdir()):
            if path.name != REASONS:
                pictures[path.name] = path.read_bytes()
        return pictures

    def preview(self, figure: str | None = None) -> ImagePreview:
        """One picture for Kedro-Viz, the first by name if none is named."""
        path = self._folder / figure if figure else min(self._folder.glob("*.png"))
        with Image.open(path) as picture:
            return image_preview(picture)

    def _exists(self) -> bool:
        return (self._folder / REASONS).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
