"""A data set in the Parquet form of Hugging Face `datasets`, in a local folder or on the hub.

Read with PyArrow and fsspec, which are here anyway, and not with `datasets`: a uniform draw needs to know every row and
to reach any of them, and a stream gives rows one after the other. From the hub this reads the footers, the labels, and
then the row groups of the images that were drawn, not the data set.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from mps_study.common.imagenet_classes import imagenet_labels
from mps_study.images.candidates import SUFFIXES, Candidate, SourceError, UnreadableError


def hugging_face(
    path: str, split: str | None = None, image: str = "image", label: str | None = "label"
) -> list[Candidate]:
    """The rows of a data set's Parquet files.

    An id is the file's name and the row's number in it. The class index is the data set's own number, which for
    ImageNet-1k is ImageNet's; if its class names are wnids, it is ImageNet's index of them. Negative labels are none.

    Args:
        path: a folder, or `hf://datasets/<owner>/<name>`, with `@<revision>` and a folder behind it if need be. Data
            sets that are not Parquet have a copy that is, at the revision `refs/convert/parquet`.
        split: only files with this word in their name or folder (`validation-00000-of-00014.parquet`); None for all.
        image: column of the encoded images.
        label: column of the class numbers; None for a data set without.

    Raises:
        SourceError: nothing there, no access, or columns of another form.
    """
    try:
        return list(_rows(path, split, image, label))
    except SourceError:
        raise
    except Exception as error:  # file systems, HTTP clients and PyArrow have no common type
        hint = "; is the network there, and have you accepted its terms and logged in (`hf auth login`)?"
        raise SourceError(
            f"data set {path} cannot be read ({type(error).__name__}: {' '.join(str(error).split())})"
            + (hint if path.startswith("hf:") else "")
        ) from error


@lru_cache(maxsize=4)  # the check before a run lists what the run then draws from
def _rows(path: str, split: str | None, image: str, label: str | None) -> tuple[Candidate, ...]:
    system, root = url_to_fs(path)
    files = sorted(file for file in system.find(root) if file.endswith(".parquet"))
    chosen = [file for file in files if split is None or _has_word(file.removeprefix(root), split)]
    if not chosen:
        found = f"none of its {len(files)} is of split {split!r}" if files else "no file there ends in .parquet"
        raise SourceError(f"data set {path} has no Parquet file to draw from: {found}")
    candidates: list[Candidate] = []
    for file in chosen:
        name = file.removeprefix(root).strip("/") or PurePosixPath(file).name
        candidates += _rows_of(system, file, name.removesuffix(".parquet"), image, label)
    return tuple(candidates)


def _has_word(name: str, word: str) -> bool:
    return re.search(rf"(^|[^a-z0-9]){re.escape(word.lower())}([^a-z0-9]|$)", name.lower()) is not None


def _rows_of(system: Any, file: str, name: str, image: str, label: str | None) -> list[Candidate]:
    with system.open(file) as opened:
        parquet = pq.ParquetFile(opened, pre_buffer=True)
        schema, groups = parquet.schema_arrow, parquet.metadata
        encoded, path = _image_fields(schema, image, file)
        columns = [column for column in (path, label) if column]
        if label is not None and (label not in schema.names or not pa.types.is_integer(schema.field(label).type)):
            raise _wrong_column(file, label, "whole numbers (or give `label: null`)", schema)
        table = parquet.read(columns=columns)
    paths = table[image].combine_chunks().field("path").to_pylist() if path else [None] * groups.num_rows
    labels = table[label].to_pylist() if label else [None] * groups.num_rows
    names = _class_names(schema, label)
    candidates = []
    row = 0
    for group in range(groups.num_row_groups):
        for offset in range(groups.row_group(group).num_rows):
            number: int | None = labels[row]
            if number is None or number < 0:
                index, class_name = None, None
            else:
                index, class_name = names.get(number, (number, str(number)))
            read = _Encoded(system, file, group, offset, encoded)
            candidates.append(Candidate(f"{name}/{row:07d}", _suffix(paths[row]), read, index, class_name))
            row += 1
    return candidates


@dataclass(frozen=True)
class _Encoded:
    """The bytes of one image: row `offset` of a row group, in the column `field` (dotted)."""

    system: Any
    file: str
    group: int
    offset: int
    field: str

    def __call__(self) -> bytes:
        content = _group(self.system, self.file, self.group, self.field)[self.offset].as_py()
        if not isinstance(content, bytes):
            raise UnreadableError(f"row {self.offset} of row group {self.group} in {self.file} holds no encoded image")
        return content


@lru_cache(maxsize=1)
def _group(system: Any, file: str, group: int, field: str) -> Any:
    with system.open(file) as opened:
        column = pq.ParquetFile(opened).read_row_group(group, columns=[field])[field.split(".")[0]].combine_chunks()
    return column.field("bytes") if "." in field else column


def _image_fields(schema: pa.Schema, image: str, file: str) -> tuple[str, str | None]:
    """Columns (dotted) of the encoded bytes and of the file names, None if there are none."""
    kind = schema.field(image).type if image in schema.names else None
    if kind is not None and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return image, None
    fields = {field.name for field in kind} if kind is not None and pa.types.is_struct(kind) else set()
    if "bytes" not in fields:
        raise _wrong_column(file, image, "encoded images (a struct with `bytes`, or binary)", schema)
    return f"{image}.bytes", f"{image}.path" if "path" in fields else None


def _class_names(schema: pa.Schema, label: str | None) -> dict[int, tuple[int, str]]:
    """Label -> (class index, name), where the file's `datasets` features name the classes."""
    features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    names: list[str] = features.get(label, {}).get("names") or []
    labels = imagenet_labels(names) or {name: (number, name.split(",")[0]) for number, name in enumerate(names)}
    return {number: labels[name] for number, name in enumerate(names)}


def _suffix(path: str | None) -> str:
    suffix = PurePosixPath(path or "").suffix.lower()
    return suffix if suffix in SUFFIXES else ""


def _wrong_column(file: str, column: str, wanted: str, schema: pa.Schema) -> SourceError:
    found = ", ".join(f"{field.name}: {str(field.type).split('<')[0]}" for field in schema)
    return SourceError(f"{file}: expected a column {column!r} of {wanted}; it has {found}")
