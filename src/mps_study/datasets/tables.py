"""The report's tables: one file a table, one of them shown by Kedro-Viz."""

from __future__ import annotations

from typing import Any

from kedro_datasets._typing import TablePreview
from kedro_datasets.partitions import PartitionedDataset

from mps_study.datasets.previews import table_preview


class TableFiles(PartitionedDataset):  # type: ignore[misc]  # kedro-datasets carries no types
    """A `PartitionedDataset` of frames that Kedro-Viz can preview."""

    def preview(self, table: str, rows: int = 20) -> TablePreview:
        """The first rows of one table."""
        tables: dict[str, Any] = self.load()
        return table_preview(tables[table]().head(rows))
