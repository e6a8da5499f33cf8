"""Records of the store one at a time, with the columns that are asked for and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from mps_study.datasets.records.columns import LATER, read_columns


class _Group(NamedTuple):
    """Some rows of a shard that are read together, and the columns in which none of them has a value."""

    shard: Path
    number: int
    empty: frozenset[str]


class RecordsByImage:
    """Single records with their bulky columns, quickest in the order in which they were stored.

    In memory lie, for each set of columns, the rows around the last record of each model, however large the study is.
    """

    def __init__(self, shards: Mapping[str, Sequence[Path]]) -> None:
        self._shards = shards
        self._last: dict[tuple[str, tuple[str, ...]], tuple[_Group, list[dict[str, Any]]]] = {}

    def record(self, image: str, model: str, columns: tuple[str, ...]) -> dict[str, Any] | None:
        """These columns of one image and model; None when the model has no record of it."""
        place = self._places.get((image, model))
        if place is None:
            return None
        group, row = place
        last = self._last.get((model, columns))
        if last is None or last[0] != group:
            last = self._last[model, columns] = (group, _rows(group, columns))
        return last[1][row]

    def may_have(self, image: str, model: str, column: str) -> bool:
        """Whether the record may have a value in this column: False where none beside it has one, without reading."""
        place = self._places.get((image, model))
        return place is not None and column not in place[0].empty

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[_Group, int]]:
        """(image, model) -> where its record is; the first, where a crash has left two."""
        found: dict[tuple[str, str], tuple[_Group, int]] = {}
        for model, shards in self._shards.items():
            for shard in shards:
                with parquet.ParquetFile(shard) as file:
                    for number in range(file.num_row_groups):
                        group = _Group(shard, number, _without_a_value(file, number))
                        images = file.read_row_group(number, ["image"])["image"].to_pylist()
                        for row, image in enumerate(images):
                            found.setdefault((image, model), (group, row))
        return found


def _rows(group: _Group, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    with parquet.ParquetFile(group.shard) as file:
        rows: list[dict[str, Any]] = read_columns(file, columns, group.number).to_pylist()
    return rows


def _without_a_value(file: parquet.ParquetFile, number: int) -> frozenset[str]:
    """The columns of a row group that hold nothing but missing values or empty lists, by its metadata."""
    group = file.metadata.row_group(number)
    names = [group.column(i).path_in_schema.partition(".")[0] for i in range(group.num_columns)]
    types = [file.schema_arrow.field(name).type for name in names]
    counts = [group.column(i).statistics for i in range(group.num_columns)]
    return frozenset(LATER.keys() - set(file.schema_arrow.names)) | frozenset(
        name
        for i, (name, type_, count) in enumerate(zip(names, types, counts, strict=True))
        if pa.types.is_null(type_.value_type if pa.types.is_list(type_) else type_)
        or (count is not None and count.null_count == group.column(i).num_values)
    )
