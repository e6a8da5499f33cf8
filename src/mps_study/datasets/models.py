"""Exported models, their cards, and checkpoints: one file a model, added one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from mps_study.common.commands import kedro_run
from mps_study.datasets.files import copy_atomically, sweep, write_bytes, written_atomically
from mps_study.datasets.previews import table_preview
from mps_study.models.export.card import ModelCard
from mps_study.models.export.exported import Exported, files_of


class OnnxModels(AbstractDataset[dict[str, Exported], dict[str, Path]]):
    """Saves exported models by copying their files here; loads name -> path of the ONNX file."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: dict[str, Exported]) -> None:
        """Add or replace these models: the external data first, so that a graph never waits for its weights."""
        for name, exported in data.items():
            sweep(self._folder, f"{name}.onnx*")
            for file in exported.files[::-1]:
                copy_atomically(file, self._folder / file.name)
            if len(exported.files) == 1:
                (self._folder / f"{name}.onnx.data").unlink(missing_ok=True)

    def load(self) -> dict[str, Path]:
        """Name -> path of every model here."""
        return _named_files(self._folder, ".onnx", "exported model", "model_export")

    def preview(self) -> TablePreview:
        """Name and size of each model, for Kedro-Viz."""
        sizes = {name: sum(file.stat().st_size for file in files_of(path)) for name, path in self.load().items()}
        return table_preview(pd.DataFrame({"model": list(sizes), "MB": [round(n / 1e6, 1) for n in sizes.values()]}))

    def _exists(self) -> bool:
        return any(self._folder.glob("*.onnx"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


class ModelCards(AbstractDataset[dict[str, ModelCard], dict[str, ModelCard]]):
    """Saves and loads cards as JSON files, name -> card.

    `so_far`: only cards whose ONNX file lies beside them; a missing folder is empty, not an error.
    """

    def __init__(self, filepath: str, so_far: bool = False, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self._so_far = so_far
        self.metadata = metadata

    def save(self, data: dict[str, ModelCard]) -> None:
        """Add or replace these cards."""
        for name, card in data.items():
            sweep(self._folder, f"{name}.json*")
            write_bytes(self._folder / f"{name}.json", (card.model_dump_json(indent=2) + "\n").encode())

    def load(self) -> dict[str, ModelCard]:
        """Name -> card."""
        if self._so_far:
            files = {card.stem: card for card in sorted(self._folder.glob("*.json")) if _onnx_beside(card).is_file()}
        else:
            files = _named_files(self._folder, ".json", "model card", "model_export")
        return {name: ModelCard.model_validate_json(f.read_text()) for name, f in files.items()}

    def preview(self) -> TablePreview:
        """The cards without digests and throughput, for Kedro-Viz."""
        cards = [
            {
                "model": name,
                "architecture": card.architecture,
                "timm": card.timm,
                "weights": card.weights,
                "classes": card.classes,
                "input size": card.preprocessing.input_size,
                "differs from torch by": card.parity.max_difference if card.parity else None,
            }
            for name, card in self.load().items()
        ]
        return table_preview(pd.DataFrame(cards))

    def _exists(self) -> bool:
        return any(self._folder.glob("*.json"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder), "so_far": self._so_far}


class Checkpoint(NamedTuple):
    """A fine-tuned model: facts (`request`, `digest`, `holdout_accuracy`, `history`, ...) and its tensors.

    `path` is where the tensors are, once saved; `tensors` is only set on the way to the file.
    """

    facts: dict[str, Any]
    path: Path | None = None
    tensors: dict[str, Any] | None = None


class Checkpoints(AbstractDataset[dict[str, Checkpoint], dict[str, Checkpoint]]):
    """Saves checkpoints as safetensors files with their facts inside; loads name -> checkpoint (facts, path)."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: dict[str, Checkpoint]) -> None:
        """Add or replace these checkpoints."""
        if not data:
            return
        from safetensors.torch import save_file  # loads torch

        self._folder.mkdir(parents=True, exist_ok=True)
        for name, checkpoint in data.items():
            sweep(self._folder, f"{name}.safetensors*")
            with written_atomically(self._folder / f"{name}.safetensors") as path:
                save_file(checkpoint.tensors or {}, path, metadata={"facts": json.dumps(checkpoint.facts)})

    def load(self) -> dict[str, Checkpoint]:
        """Name -> checkpoint; empty when nothing has been fine-tuned."""
        from safetensors import safe_open

        checkpoints = {}
        for path in sorted(self._folder.glob("*.safetensors")):
            with safe_open(path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {}).get("facts", "{}"))
            checkpoints[path.stem] = Checkpoint(facts, path)
        return checkpoints

    def preview(self) -> TablePreview:
        """Each model's epochs and accuracy on held-out training images, for Kedro-Viz."""
        facts = {name: checkpoint.facts for name, checkpoint in self.load().items()}
        rows = [{"model": n, **{k: f.get(k) for k in ("epochs", "holdout_accuracy")}} for n, f in facts.items()]
        return table_preview(pd.DataFrame(rows))

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}


def _onnx_beside(card: Path) -> Path:
    return card.with_name(f"{card.stem}.onnx")


def _named_files(folder: Path, suffix: str, what: str, pipeline: str) -> dict[str, Path]:
    files = {path.stem: path for path in sorted(folder.glob(f"*{suffix}"))}
    if not files:
        raise DatasetError(f"no {what} in {folder}; run `{kedro_run(pipeline)}` first")
    return files
