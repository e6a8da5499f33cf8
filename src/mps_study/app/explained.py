"""What one model needs to see of one image: as arrays, as a picture, as files."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from mps_study.app.coco import categories, coco_image, found_annotation
from mps_study.datasets.files import written_atomically
from mps_study.measures.frame import on_image
from mps_study.models.inference.preprocessing import View
from mps_study.mps.types import MpsRecord
from mps_study.report.figures.fonts import write_figure
from mps_study.report.figures.one_image import draw_one_image
from mps_study.report.figures.style import to_png

PHOTO = "mps-study photo"
"""Under which a saved PNG keeps the digest of the photo that it shows."""


@dataclass(frozen=True, repr=False)
class Explanation:
    """What one model needs to see of one image.

    Args:
        model: its name.
        class_name: of the class that the set keeps: the model's top-1 on the whole image, or the one asked for.
        photo: (h, w, 3) uint8, the image as the model saw it.
        view: top, left, bottom, right of the part of the image that the model saw, in the image's own pixels.
        record: all that the search found, `mps_study.MpsRecord`.
        answer_name: of the model's top-1 on the whole image.
        size: width and height of the image itself, in pixels, upright.

    Example:
        >>> found = explain(np.full((20, 30, 3), 200, dtype=np.uint8), tiny_onnx, strategy="minimal")
        >>> found.label, found.photo.shape, found.mask_on_image.shape
        (2, (16, 16, 3), (20, 30))
        >>> found.save("found.npz").name
        'found.npz'
    """

    model: str
    class_name: str
    photo: NDArray[np.uint8]
    view: View
    record: MpsRecord
    answer_name: str
    size: tuple[int, int]

    @property
    def label(self) -> int:
        """Index of the class."""
        return self.record.target.label

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """(h, w) bool, True = kept: the MPS on `photo`; None without one."""
        return self.record.mask

    @property
    def mask_on_image(self) -> NDArray[np.bool_] | None:
        """(height, width) bool: the MPS in the image's own pixels (`measures.frame.on_image`); None without one."""
        return None if self.mask is None else on_image(self.mask, self.view, *self.size, beyond=False)

    @property
    def landscape(self) -> NDArray[np.float32] | None:
        """(h, w) float32: the responsibility of each pixel; None where the strategy has no map."""
        return self.record.landscape

    @property
    def area(self) -> float:
        """Share of the input's pixels that are kept, in [0, 1]; NaN without an MPS."""
        return self.record.area

    @property
    def confidence(self) -> float:
        """Of the class, from the MPS alone, in [0, 1]; NaN without an MPS."""
        return self.record.confidence

    def __repr__(self) -> str:
        share = f"{100 * self.area:.1f} % of the pixels" if self.mask is not None else self.record.status
        return f"<Explanation of {self.record.key} by {self.model}: {self.class_name}, {share}>"

    def figure(self) -> Figure:
        """The photo, its responsibility, its MPS, and several MPSs where there are any."""
        return draw_one_image(self.record, self.photo, self.model, self.class_name, self.answer_name)

    def to_coco(self) -> dict[str, Any]:
        """The MPS in the image's own pixels as COCO's JSON: one image, one annotation (none without an MPS), its class.

        Raises:
            ValueError: pycocotools is not installed.
        """
        on_it = self.mask_on_image
        found = [] if on_it is None else [found_annotation(1, 1, self.record, on_it)]
        return {
            "images": [coco_image(1, self.record.key, *self.size)],
            "annotations": found,
            "categories": categories([self.label] if found else [], {self.label: self.class_name}),
        }

    def save(self, path: str | Path) -> Path:
        """Write the figure; the suffix (`.png`, `.svg`, `.pdf`) says in which format.

        `.npz` holds arrays instead: `mask` and `mask_on_image` (bool), `landscape` (float32), where there are any.

        Raises:
            ValueError: matplotlib writes no such format, or the folder does not exist.
        """
        check_target(Path(path))
        if Path(path).suffix.lower() == ".npz":
            arrays = {name: getattr(self, name) for name in ("mask", "mask_on_image", "landscape")}
            with written_atomically(Path(path)) as unfinished, unfinished.open("wb") as file:
                np.savez_compressed(file, **{name: array for name, array in arrays.items() if array is not None})
            return Path(path)
        metadata = {PHOTO: self._mark} if Path(path).suffix.lower() == ".png" else None
        write_figure(self.figure(), path, dpi=240, metadata=metadata)
        return Path(path)

    def is_saved_as(self, path: Path) -> bool:
        """Whether the picture (`.png`) at a path was saved of the same photo, with whatever result."""
        try:
            with Image.open(path) as picture:
                return picture.info.get(PHOTO) == self._mark
        except (OSError, SyntaxError):  # Pillow's for a broken PNG
            return False

    @property
    def _mark(self) -> str:
        return sha256(self.photo.tobytes()).hexdigest()

    def _repr_png_(self) -> bytes:
        """The figure, where a notebook shows the explanation."""
        return to_png(self.figure(), dpi=110)


def check_target(path: Path) -> None:
    """Raise ValueError unless a picture can be saved there, as `Explanation.save` does."""
    formats = {*FigureCanvasBase.get_supported_filetypes(), "npz"}
    if path.suffix.removeprefix(".").lower() not in formats:
        raise ValueError(f"picture {str(path)!r}: the suffix must be one of {', '.join(sorted(formats))}")
    if not path.parent.is_dir():
        raise ValueError(f"picture {str(path)!r}: there is no folder {path.parent}")
