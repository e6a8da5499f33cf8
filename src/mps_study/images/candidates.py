"""What a source lists: images that may be drawn, none of them read yet."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePath

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".npy"}

SYSTEM = {"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
"""Folders that systems put beside people's images, as they do what begins with a dot (`.Trash-1000`, `._x.jpg`)."""

log = logging.getLogger(__name__)


class SourceError(ValueError):
    """A source that cannot be used as configured; the message says what is missing and where."""


class UnreadableError(ValueError):
    """One image whose bytes cannot be had, for a reason of its own: a broken link, no permission, an empty cell."""


@dataclass(frozen=True)
class Candidate:
    """An image that may be drawn.

    Args:
        image: unique id within its source, the same on every machine.
        suffix: file suffix of the encoded image, with the dot.
        read: the encoded bytes, when they are needed.
        label: class index; None if unknown, or if only a folder's name tells it (`labels.labelled` looks it up).
        class_name: its name; None if unknown.
    """

    image: str
    suffix: str
    read: Callable[[], bytes]
    label: int | None = None
    class_name: str | None = None

    @property
    def has_class(self) -> bool:
        """Whether it is labelled, by an index or by a name."""
        return self.label is not None or self.class_name is not None


@dataclass(frozen=True)
class FileBytes:
    """Reads an image file.

    Raises:
        UnreadableError: when called, if it is not a file that this user can read.
    """

    path: Path

    def __call__(self) -> bytes:
        """The encoded image."""
        # Asked first: reading a named pipe would wait for ever.
        if self.path.is_symlink() and not self.path.exists():
            raise UnreadableError(f"{str(self.path)!r} is a broken link; mend or remove it")
        if self.path.exists() and not self.path.is_file():
            raise UnreadableError(f"{str(self.path)!r} is no file; remove it")
        try:
            return self.path.read_bytes()
        except PermissionError as error:
            raise UnreadableError(f"{str(self.path)!r} may not be read by this user; change its permissions") from error
        except FileNotFoundError as error:
            raise UnreadableError(f"{str(self.path)!r} is gone since it was listed") from error


def as_id(name: str) -> str:
    """A file's name as an image's id; bytes of a name that are no UTF-8 are escaped, which files and tables need."""
    return name.encode("utf-8", "backslashreplace").decode()


def image_files(root: Path, suffixes: Collection[str] = SUFFIXES) -> list[tuple[PurePath, Path]]:
    """(path relative to `root`, path) of every file of these kinds below `root`, through links, sorted by the former.

    Hidden files and folders, and those of a system (`SYSTEM`), are not the user's images: they are passed over.

    By name alone: asking the file system about each of 100 000 files takes minutes on a network disk. A link to a
    folder that holds it is not followed.

    Raises:
        SourceError: a folder cannot be listed: without its images the others would get other classes.
    """
    found: list[tuple[PurePath, Path]] = []
    if not root.is_dir():
        return found
    above: dict[str, tuple[tuple[int, int], ...]] = {str(root): (_identity(root),)}
    for folder, folders, names in os.walk(root, followlinks=True, onerror=_refuse):
        inside = [Path(folder, name) for name in folders if not _is_strange(name)]
        loops = {path for path in inside if path.is_symlink() and _identity(path) in above[folder]}
        for path in sorted(loops):
            log.warning("the link %r leads to a folder that holds it and is not followed", str(path))
        folders[:] = [path.name for path in inside if path not in loops]
        above |= {str(path): (*above[folder], _identity(path)) for path in inside if path not in loops}
        files = [
            Path(folder, name) for name in names if not _is_strange(name) and PurePath(name).suffix.lower() in suffixes
        ]
        found += [(file.relative_to(root), file) for file in files]
    return sorted(found, key=lambda pair: pair[0].as_posix())


def _is_strange(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _refuse(error: OSError) -> None:
    raise SourceError(
        f"image folder {error.filename!r} cannot be listed ({error.strerror}); change its permissions or remove it"
    )
