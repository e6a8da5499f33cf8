"""An exported model: its files, and the request by which it is known to be up to date."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mps_study.common.class_names import IMAGENET
from mps_study.common.digests import digest_of, digest_of_files
from mps_study.common.imagenet_classes import IMAGENET_CLASSES
from mps_study.models.export.card import SAMPLE, ModelCard
from mps_study.models.export.class_names import names_on_card
from mps_study.models.inference.graph_end import READING
from mps_study.models.inference.onnx_file import OnnxFileError, external_files, read_graph
from mps_study.models.roster.roster import ModelEntry

OPSET = 20


class ParityError(ValueError):
    """An exported model that does not answer as the torch model does."""


@dataclass(frozen=True)
class Exported:
    """An ONNX file (its external data, if any, beside it as `<file>.data`) and its card."""

    path: Path
    card: ModelCard

    @property
    def files(self) -> tuple[Path, ...]:
        """The ONNX file and its external data."""
        return files_of(self.path)


def files_of(path: Path) -> tuple[Path, ...]:
    """An ONNX file and its external data file, if there is one."""
    data = path.with_name(path.name + ".data")
    return (path, data) if data.exists() else (path,)


def export_request(entry: ModelEntry, checkpoint: Path | None, tolerance: float) -> str:
    """Digest of everything an export depends on; equal requests give equal models."""
    local = [checkpoint] if checkpoint else []
    if entry.onnx or entry.weights.startswith("file:"):
        path = Path(entry.onnx or entry.weights.removeprefix("file:"))
        if path.is_file():
            local += [path, *_data_of(path)] if entry.onnx else [path]
    return digest_of(
        {
            "entry": entry.facts,
            "files": digest_of_files(*local),
            "opset": OPSET,
            "tolerance": tolerance,
        }
        | ({} if entry.onnx else {"torch": version("torch"), "timm": version("timm")})
        | _class_names(entry)
        | ({"reading": READING} if entry.onnx else {})
    )


def _class_names(entry: ModelEntry) -> dict[str, Any]:
    """Class names, where they are not those that a card of an earlier version has for as many classes."""
    try:
        names = names_on_card("", entry)
    except (ValueError, OSError):  # the export says so
        return {}
    before = IMAGENET if entry.classes == IMAGENET_CLASSES else SAMPLE
    return {} if names == before else {"class_names": names}


def _data_of(path: Path) -> list[Path]:
    """The external data of a user's file; none of one that the export will refuse."""
    try:
        return external_files(read_graph(path), path)
    except OnnxFileError:
        return []
