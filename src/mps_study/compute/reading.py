"""Reads the images of a search: what is in the bytes is final, what a disk or network did is tried again."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence

from PIL import Image

from mps_study.images.decoding import DecodingError, decode

log = logging.getLogger(__name__)

PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each further look, once all others have been read, at the images that could not be."""


class UnreadError(ValueError):
    """Images that a disk or network did not give, however often they were asked for; the message says what to do."""


class Reader:
    """The images that are still to be searched, decoded one after the other.

    Args:
        images: file name -> encoded bytes; OSError or KeyError where they cannot be had.
        wanted: (image, file name) of each.
        sha256: image -> digest that its bytes must have, where it is known.

    Attributes:
        failed: image -> why its bytes are no image that can be searched. Final: another look would find the same.
        unread: image -> why its bytes could not be had, of those that are missing when all has been tried.
    """

    def __init__(
        self, images: Mapping[str, bytes], wanted: Sequence[tuple[str, str]], sha256: Mapping[str, str] | None = None
    ) -> None:
        self._images, self._wanted, self.sha256 = images, wanted, sha256 or {}
        self.failed: dict[str, str] = {}
        self.unread: dict[str, str] = {}

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        """(image, picture) of each that can be read, in order; those that could at first not be had come last."""
        for image, content in self.contents():
            try:
                picture = decode(content, image)
            except DecodingError as error:
                self.failed[image] = str(error)
                continue
            yield image, picture

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """(image, encoded bytes) of each, in the same order; whether they can be decoded is not known."""
        wanted = list(self._wanted)
        for pause in (0.0, *PAUSES):
            time.sleep(pause)
            self.unread = {}
            yield from self._look(wanted)
            wanted = [(image, file) for image, file in wanted if image in self.unread]
            if not wanted:
                return
            image, reason = next(iter(self.unread.items()))
            log.warning("%d images cannot be read now; the first is %s: %s", len(wanted), image, reason)

    def _look(self, wanted: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        for image, file in wanted:
            try:
                content = self._images[file]
            except (OSError, KeyError) as error:
                self.unread[image] = str(error.args[0] if isinstance(error, KeyError) else error)
                continue
            if is_whole(content, self.sha256.get(image)):
                yield image, content
            else:
                self.failed[image] = f"image {image!r}: its bytes are not those that were drawn (their sha256 differs)"

    def check(self, again: str) -> None:
        """Raise UnreadError if images are missing; `again` is the command that tries them again."""
        if self.unread:
            image, reason = next(iter(self.unread.items()))
            raise UnreadError(
                f"{len(self.unread)} images could not be read, though they were tried {len(PAUSES) + 1} times; the "
                f"first is {image}: {reason}; they have no record yet, and `{again}` tries them again"
            )


def is_whole(content: bytes, sha256: str | None) -> bool:
    """Whether bytes have this digest; true where none is known."""
    return sha256 is None or hashlib.sha256(content).hexdigest() == sha256
