"""The one source of chance: a generator from the seed, the image's key and the purpose, and from nothing else."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(purpose: str, seed: int, key: str) -> np.random.Generator:
    """The same on every machine, in any order of images; independent between purposes."""
    return np.random.default_rng([seed, number_of(purpose), number_of(key)])


def number_of(text: str) -> int:
    """A 64-bit number that stands for a text, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
