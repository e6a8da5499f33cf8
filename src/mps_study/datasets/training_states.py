"""Fine-tunings under way: after each epoch one file a model, which a run that was killed goes on from."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from mps_study.common.digests import digest_of_files
from mps_study.datasets.files import put_in_place, sweep, written_atomically

log = logging.getLogger(__name__)


class StateFile:
    """The state of one model's fine-tuning: `<model>.<epoch>.<sha256>.pt`.

    The digest in the name makes writing one step: a file is there whole, under its own name, or not at all.

    Args:
        folder: where the files of all models lie.
        model: the model's name.
        request: digest of all that the trained weights depend on; the state of another request is of no use.
    """

    def __init__(self, folder: Path, model: str, request: str) -> None:
        self._folder, self._model, self._request = folder, model, request

    def read(self) -> dict[str, Any] | None:
        """The last state of this request; None if there is none.

        Raises:
            DatasetError: the file's content does not match its digest.
        """
        files = self._files()
        if not files:
            return None
        file = files[-1]
        if digest_of_files(file) != file.suffixes[-2].removeprefix("."):
            raise DatasetError(
                f"the training state {file} is damaged: its content does not match the digest in its name; "
                "delete it to train this model from its first epoch"
            )
        import torch  # takes seconds, which a run without training need not wait for

        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        if state.pop("request") != self._request:
            log.info("%s: the training state is of another recipe, sample or model; starting anew", self._model)
            return None
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Keep this state, and no other."""
        import torch

        self._folder.mkdir(parents=True, exist_ok=True)
        sweep(self._folder, f"{self._model}.pt*")
        before = self._files()
        file = self._folder / f"{self._model}.pt"
        with written_atomically(file) as path:
            torch.save(state | {"request": self._request}, path)
        # Renamed once more: only a whole file can tell its digest.
        target = file.with_name(f"{self._model}.{len(state['history']):04d}.{digest_of_files(file)}.pt")
        put_in_place(file, target)
        for old in before:
            if old != target:
                old.unlink()

    def clear(self) -> None:
        """Forget the state."""
        for file in self._files():
            file.unlink()

    def _files(self) -> list[Path]:
        """By epoch, the last one last."""
        form = re.compile(re.escape(self._model) + r"\.\d{4}\.[0-9a-f]{64}\.pt")
        return sorted(file for file in self._folder.glob("*.pt") if form.fullmatch(file.name))


class StateFolder:
    """The states of a study's models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, model: str, request: str) -> StateFile:
        """The state of one model."""
        return StateFile(self._folder, model, request)


class TrainingStates(AbstractDataset[None, StateFolder]):
    """Loads a `StateFolder`, into which the training of each model writes by itself."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> StateFolder:
        """The folder, which need not exist yet."""
        return StateFolder(self._folder)

    def save(self, data: None) -> None:
        """Never called: states are written epoch by epoch."""
        raise DatasetError("training states are written while a model trains, not by a node")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
