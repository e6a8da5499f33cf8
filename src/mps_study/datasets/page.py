"""A text file, such as the report, that is whole or absent."""

from __future__ import annotations

from pathlib import Path

from kedro.io.core import get_filepath_str
from kedro_datasets.text import TextDataset

from mps_study.datasets.files import sweep, write_bytes


class Page(TextDataset):  # type: ignore[misc]  # kedro_datasets loads it lazily
    """Kedro's text dataset, on a local folder; a run that is killed while it saves leaves the file as it was."""

    def save(self, data: str) -> None:
        """Replace the file."""
        target = Path(get_filepath_str(self._get_save_path(), self._protocol))
        sweep(target.parent, f"{target.name}*")
        write_bytes(target, data.encode())
        self._invalidate_cache()
