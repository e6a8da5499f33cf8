"""Maps that a user brings: a folder with `MODEL/IMAGE.npy`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mps_study.common.digests import digest_of, digest_of_files

Shape = tuple[int, int]


class GivenMaps(Mapping[str, NDArray[np.float32]]):
    """Image -> map (h, w) float32 of one model, read when it is asked for.

    Args:
        folder: where `MODEL/IMAGE.npy` lie; an image's name may have folders in it.
        model: the roster's name.
        images: those that are wanted.
        shape: (h, w) of the model's input; None where that is not known yet.
        resize: whether maps of another size are taken, and resized bilinearly.
    """

    def __init__(
        self, folder: Path, model: str, images: Iterable[str], shape: Shape | None = None, resize: bool = False
    ) -> None:
        self._folder, self._model, self._shape, self._resize = folder, model, shape, resize
        self._images = list(images)

    def path(self, image: str) -> Path:
        """Where the map of an image lies."""
        return self._folder / self._model / f"{image}.npy"

    def fault(self) -> str | None:
        """One line if maps are missing, are no maps, or are of another size than the model's input."""
        missing = [image for image in self._images if not self.path(image).is_file()]
        if missing:
            return (
                f"{len(missing)} of {len(self._images)} maps of model {self._model!r} are missing; the first is "
                f"{self.path(missing[0])}: write each image's map there, an array (h, w), as MODEL/IMAGE.npy"
            )
        return next((fault for image in self._images if (fault := self._fault_of(self.path(image)))), None)

    def digest(self) -> str:
        """sha256 of all maps, in the order of the images; where some are missing, one of which there are no records."""
        paths = [self.path(image) for image in self._images]
        return digest_of([digest_of_files(path) if path.is_file() else None for path in paths])

    def _fault_of(self, path: Path) -> str | None:
        try:
            found = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            return f"{path} is no array that NumPy can read ({' '.join(str(error).split())}); save it with numpy.save"
        if found.ndim != 2 or found.dtype.kind not in "fiub":
            return f"{path} holds an array {found.shape} of {found.dtype}; a map is (h, w) and of numbers"
        if self._shape is not None and not self._resize and found.shape != self._shape:
            return (
                f"{path} is a map of {found.shape[0]} x {found.shape[1]}, but the input of model {self._model!r} is "
                f"{self._shape[0]} x {self._shape[1]}; write it at that size, or say `resize: true` beside its path"
            )
        if not np.isfinite(found).all():
            return f"{path} holds values that are NaN or infinite; a map must be finite"
        return None

    def __getitem__(self, image: str) -> NDArray[np.float32]:
        path = self.path(image)
        if image not in self._images or not path.is_file():
            raise KeyError(image)
        found: NDArray[np.float32] = np.load(path, allow_pickle=False).astype(np.float32)
        if self._resize and self._shape is not None and found.shape != self._shape:
            from skimage.transform import resize

            found = resize(found, self._shape, order=1, preserve_range=True)  # type: ignore[no-untyped-call]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)
