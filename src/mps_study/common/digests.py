"""Digests by which files and parameters are known again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def digest_of_files(*paths: Path) -> str:
    """sha256 over the contents of files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def digest_of(facts: Any) -> str:
    """sha256 of plain values, independent of the order of keys."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
