"""Frames as Parquet files, versioned by run, each whole or absent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from kedro.io.core import get_filepath_str
from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import ParquetDataset

from mps_study.datasets.files import sweep, written_atomically
from mps_study.datasets.previews import table_preview


class Frame(ParquetDataset):  # type: ignore[misc]  # kedro_datasets loads it lazily
    """Kedro's Parquet dataset, on a local folder, which a run that is killed while it saves leaves as it was."""

    def save(self, data: pd.DataFrame) -> None:
        """Write a version; sweep away what a killed run left of another."""
        sweep(Path(self._filepath), "*/*")
        target = Path(get_filepath_str(self._get_save_path(), self._protocol))
        with written_atomically(target) as path:
            data.to_parquet(path, **self._save_args)
        self._invalidate_cache()

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for Kedro-Viz."""
        return table_preview(self.load().head(nrows))


class OptionalFrame(Frame):
    """A frame that need not be there, such as another study's: its newest version, or an empty frame."""

    def load(self) -> pd.DataFrame:
        """The frame; empty if there is none."""
        if not self.exists():
            return pd.DataFrame()
        return pd.DataFrame(super().load())
