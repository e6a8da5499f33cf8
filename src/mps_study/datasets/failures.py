"""What failed: stage and model -> the reason, kept until the same stage succeeds for that model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from mps_study.datasets.files import sweep, write_bytes

Failures = Mapping[tuple[str, str], str | None]
"""(stage, model) -> one line why it failed; None: it succeeded, and an earlier failure is forgotten."""


class Held(str):
    """Why a model was left to another process. It is told when the run ends, and not noted: nothing has failed."""


class FailureNotes(AbstractDataset[Failures, Failures]):
    """Saves some failures, `<stage>/<model>.json` each; loads all that stand."""

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: Failures) -> None:
        """Note, or forget; what another process holds is left to it."""
        for (stage, model), reason in data.items():
            if isinstance(reason, Held):
                continue
            file = self._folder / stage / f"{model}.json"
            sweep(file.parent, f"{file.name}*")
            if reason is None:
                file.unlink(missing_ok=True)
            else:
                noted = {"reason": reason, "when": datetime.now(UTC).isoformat(timespec="seconds")}
                write_bytes(file, json.dumps(noted, indent=2).encode())

    def load(self) -> Failures:
        """All failures that stand; none when nothing has failed."""
        files = sorted(self._folder.glob("*/*.json"))
        return {(file.parent.name, file.stem): str(json.loads(file.read_text())["reason"]) for file in files}

    def _exists(self) -> bool:
        return self._folder.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._folder)}
