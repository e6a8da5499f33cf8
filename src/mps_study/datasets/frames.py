"""Frames as Parquet files, versioned by run, each whole or absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import Version, get_filepath_str
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


def newest(filepath: Path) -> pd.DataFrame:
    """The newest version of a frame, with its attributes; an empty frame if there is none."""
    frame = Frame(filepath=str(filepath), version=Version(None, None))
    return pd.DataFrame() if not frame.exists() else cast(pd.DataFrame, frame.load())


class FrameSoFar(AbstractDataset[None, pd.DataFrame]):
    """Loads the newest version of a frame with its attributes, or an empty one, before a node makes another."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The frame; there need not be one yet."""
        return newest(self._filepath)

    def save(self, data: None) -> None:
        """Never called: the frame is saved under its own name."""
        raise DatasetError("it is saved under its own name")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


UNCHANGED = pd.DataFrame()
"""What a node returns for a `KeptFrame` that is up to date."""


class KeptFrame(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """A frame whose newest version stays when `UNCHANGED` is saved. `optional`: without any version it is empty.

    It holds a `Frame` rather than being one: Kedro warns of a versioned dataset that saves no version.
    """

    def __init__(
        self,
        filepath: str,
        version: Version | None = None,
        optional: bool = False,
        save_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        of_kind = OptionalFrame if optional else Frame
        self._frame = of_kind(filepath=filepath, version=version, save_args=save_args)
        self.metadata = metadata

    def save(self, data: pd.DataFrame) -> None:
        """Write a version, unless the frame has no column."""
        if len(data.columns):
            self._frame.save(data)

    def load(self) -> pd.DataFrame:
        """The newest version, without its attributes: frames that are made of it would carry them on."""
        return pd.DataFrame(self._frame.load())

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows, for Kedro-Viz."""
        return self._frame.preview(nrows)

    def _exists(self) -> bool:
        return bool(self._frame.exists())

    def _describe(self) -> dict[str, Any]:
        return dict(self._frame._describe())
