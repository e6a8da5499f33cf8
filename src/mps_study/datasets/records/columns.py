"""The columns of the record store, and how they are read from a shard, one from before a column came included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

SMALL_COLUMNS = [
    "image",
    "model",
    "fingerprint",
    "status",
    "reason",
    "target",
    "target_confidence",
    "height",
    "width",
    "pixels",
    "confidence",
    "calls",
    "evaluations",
    "view",
    "certificate",
    "contrast",
    "dilation_survives",
    "floors",
    "further",
    "insertion_area",
    "deletion_area",
    "top",
    "anytime",
    "soft",
    "map_evaluations",
    "map_gradients",
]
"""What is read unless more is asked for; `floors` and `further` are JSON, a list of sets without their masks."""

BULKY_COLUMNS = ["mask", "landscape", "floor_masks", "further_masks", "curves"]

LATER: dict[str, Any] = {
    "certificate": None,
    "contrast": None,
    "dilation_survives": None,
    "floors": "[]",
    "further": "[]",
    "insertion_area": None,
    "deletion_area": None,
    "floor_masks": None,
    "further_masks": [],
    "curves": None,
    "made_with": "{}",
    "top": None,
    "anytime": None,
    "soft": None,
    "map_evaluations": 0,
    "map_gradients": 0,
}
"""Columns that came after the first version of the store -> what a shard means that does not have them. A new column
stands here, so that no stored record becomes unreadable; the others are in every shard."""


def read_columns(file: parquet.ParquetFile, columns: Sequence[str], group: int | None = None) -> pa.Table:
    """These columns of a shard, or of one of its row groups; what it does not have is as `LATER` says."""
    there = set(file.schema_arrow.names)
    stored = [column for column in columns if column in there or column not in LATER]
    table = file.read(stored) if group is None else file.read_row_group(group, stored, use_threads=False)
    for column in columns:
        if column not in stored:
            table = table.append_column(column, pa.array([LATER[column]] * table.num_rows))
    return table
