"""How and where models are asked, as parameters say it; light to load."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Asking:
    """How models are asked, which changes no record: see `project.parameters.Extraction`."""

    device: str = "auto"
    precision: Literal["fp32", "tf32", "fp16"] = "fp32"
    batch_size: int | None = None
    workers: int | None = None
    in_flight: int = 8


def check_cluster(cluster: str) -> str:
    """The word itself, if it says where a cluster is.

    Raises:
        ValueError: it does not.
    """
    if cluster != "local" and not re.fullmatch(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[\w.-]+):[0-9]{1,5}", cluster):
        raise ValueError("use local, tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler, or null for this process")
    return cluster


CERTIFICATES = Path("conf/local/tls")
"""Where the certificates for tls:// lie: in the folder of a project that is never committed."""


def certificates(folder: Path = CERTIFICATES) -> tuple[Path, Path, Path]:
    """Files of the authority's certificate, and of this client's certificate and key."""
    return folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
