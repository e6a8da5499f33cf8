"""Names that become those of files, on any file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}
"""What is no file on Windows, whatever follows behind a dot."""


def is_device(name: str) -> bool:
    """Whether a file of this name would be a device on Windows."""
    return name.partition(".")[0].rstrip().lower() in DEVICES


def file_name_fault(name: str) -> str | None:
    """Why no file can be called so everywhere, and what to do, as the end of a line; None if one can."""
    if not re.fullmatch(r"\w[\w .+-]*", name):
        return "use letters, digits, spaces and _ . + - in it"
    if name[-1] in " .":
        return "Windows drops a space or dot at the end; leave it out"
    if is_device(name):
        return "this one is a device on Windows; use another"
    return None


def folded(name: str) -> str:
    """What two names have in common that are one file on macOS or Windows."""
    return unicodedata.normalize("NFC", name).casefold()


def one_file(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that would be one file on macOS or Windows; None if there are no such."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(folded(name), name)
        if other != name:
            return other, name
    return None
