"""By what a training is known to be done: told without torch, which takes seconds to load."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mps_study.common.digests import digest_of
from mps_study.models.roster.roster import ModelEntry

NOT_WEIGHTS = {"match", "output", "class_names"}
"""Fields of an entry on which no weight depends; the last two came after the first checkpoints."""


def fine_tuning_request(entry: ModelEntry, sample: str, recipe: dict[str, Any]) -> str:
    """Digest of everything that the trained weights depend on."""
    return digest_of(
        {
            "entry": entry.model_dump(mode="json", exclude=NOT_WEIGHTS),
            "sample": sample,
            "recipe": recipe,
            "torch": torch_version(),
            "timm": version("timm"),
        }
    )


def torch_version() -> str:
    """`torch.__version__`, which says the build (`2.14.1+cu130`), as the package's metadata does not."""
    spec = find_spec("torch")
    assert spec is not None and spec.origin is not None
    told = re.search(r"__version__ = '(.+)'", Path(spec.origin).with_name("version.py").read_text())
    return told[1] if told else version("torch")
