"""Where sets lie beside what people marked: inside the object or beside it, and what chance would give.

The object of an image is all that its regions hold. It is looked at in the model's own input, pixel by pixel, so that
nothing of the set is resampled, and what the model did not see of it counts nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mps_study.measures.frame import View
from mps_study.mps.types import FOUND

MEASURES = ("inside", "covered", "pointing", "responsibility_inside", "chance", "chance_same_shape")

COLUMNS = {
    "image": "string",
    "model": "string",
    "architecture": "string",
    "search": "string",
    "half": "string",
    "correct": "boolean",
    **dict.fromkeys(MEASURES, "float64"),
    "beside": "boolean",
    "missing": "string",
}

NOT_MARKED, NO_SET, UNSEEN = "no annotation", "no set", "object not in view"
"""Why a row has no measure: `missing`, empty where it has."""

Mask = NDArray[np.bool_]


class Marked(NamedTuple):
    """A region that people marked: left, top, right, bottom in pixels of the source image, the last two exclusive.

    `mask`: (h, w) of the source image, True = object; None where the whole box counts.
    """

    box: tuple[float, float, float, float]
    mask: Mask | None = None


class Needed(NamedTuple):
    """A set (h, w) in a model's input, the view of the source image that the input shows, and the map (h, w) behind it.

    The map is None where none was kept.
    """

    mask: Mask
    view: View
    landscape: NDArray[np.float32] | None = None


def object_in_input(regions: Iterable[Marked], view: View, shape: tuple[int, int]) -> Mask:
    """(h, w) bool: the pixels of a model's input whose centre lies in one of the regions.

    A region so small that it falls between the centres keeps the pixel that holds its middle, or, of a mask, those that
    hold its pixels' centres. Nothing outside of `view` is there, and of a view that reaches over the image's border
    (padding) nothing outside of the image.
    """
    found = np.zeros(shape, dtype=np.bool_)
    for box, mask in regions:
        if mask is None:
            rows = _pixels(shape[0], view[0], view[2], box[1], box[3])
            found |= rows[:, None] & _pixels(shape[1], view[1], view[3], box[0], box[2])
        else:
            found |= _mask_in_input(mask, view, shape)
    return found


def _pixels(size: int, start: float, stop: float, low: float, high: float) -> Mask:
    """(size,) bool: which of so many pixels over [start, stop) have their centre in [low, high)."""
    step = (stop - start) / size
    centres = start + (np.arange(size) + 0.5) * step
    inside: Mask = (centres >= low) & (centres < high)
    low, high = max(low, start), min(high, stop)
    if low < high and not inside.any():
        inside[min(int(((low + high) / 2 - start) / step), size - 1)] = True
    return inside


def _mask_in_input(mask: Mask, view: View, shape: tuple[int, int]) -> Mask:
    tops, lefts = (
        np.floor(view[axis] + (np.arange(shape[axis]) + 0.5) * (view[axis + 2] - view[axis]) / shape[axis]).astype(int)
        for axis in (0, 1)
    )
    rows, columns = ((at >= 0) & (at < size) for at, size in zip((tops, lefts), mask.shape, strict=True))
    found = np.zeros(shape, dtype=np.bool_)
    found[np.ix_(rows, columns)] = mask[np.ix_(tops[rows], lefts[columns])]
    if not found.any():
        start, stop = np.array(view[:2]), np.array(view[2:])
        places = (np.argwhere(mask) + 0.5 - start) / (stop - start)
        seen = places[((places >= 0) & (places < 1)).all(axis=1)]
        found[tuple((seen * shape).astype(int).T)] = True
    return found


def agreement_of(needed: Needed, marked: Mask) -> dict[str, float]:
    """The `MEASURES` of one set, which is not empty, and of the object `marked` (h, w) in its input, nor is it.

    - `inside`: share of the set inside the object; `covered`: share of the object, as far as the model sees it, that
      the set keeps.
    - `pointing`: 1 if the highest pixel of the map lies inside, 0 if not; of several equally high ones the share that
      does. `responsibility_inside`: share of the map's sum inside; what is below zero counts as zero. Both are NaN
      without a map, or for one that is the same everywhere.
    - `chance`: the share of the input that is object, which a random pixel's `inside` is on average;
      `chance_same_shape`: what `inside` is on average when the set is moved to every place where it fits in the input.
    """
    mask, landscape = needed.mask, needed.landscape
    both = int((mask & marked).sum())
    found = {"inside": both / int(mask.sum()), "covered": both / int(marked.sum())}
    found |= {"pointing": np.nan, "responsibility_inside": np.nan}
    if landscape is not None and landscape.max() > landscape.min():
        heights = landscape.astype(np.float64).clip(min=0)
        found["pointing"] = float(marked[landscape == landscape.max()].mean())
        found["responsibility_inside"] = float(heights[marked].sum() / total) if (total := heights.sum()) else np.nan
    return found | {"chance": float(marked.mean()), "chance_same_shape": chance_of_shape(mask, marked)}


def chance_of_shape(mask: Mask, marked: Mask) -> float:
    """Mean share of a set inside the object over all shifts, by whole pixels, that keep all of it in the input; exact.

    The mean of their cross-correlation where it is valid, over the set's pixels, without computing it: each pixel of
    the set meets one rectangle of the input, whose sum a table of sums gives. A set that spans the input fits once.
    """
    rows, columns = np.nonzero(mask)
    rows, columns = rows - rows.min(), columns - columns.min()
    down, across = mask.shape[0] - int(rows.max()), mask.shape[1] - int(columns.max())
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = marked.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    inside = sums[rows + down, columns + across] - sums[rows, columns + across]
    inside += sums[rows, columns] - sums[rows + down, columns]
    return float(inside.sum() / (rows.size * down * across))


def measure_agreement(
    areas: pd.DataFrame,
    regions_of: Callable[[str], Sequence[Marked]],
    needed_by: Callable[[str, str, str], Needed | None],
    with_bar: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> pd.DataFrame:
    """The `agreement` frame (docs/architecture.md): a row for each of `areas`, in its order.

    `beside`: less of the set lies inside the object than chance gives (`chance`), none included. Rows with a reason in
    `missing` have no measure.

    Args:
        areas: the areas frame, all searches.
        regions_of: image -> what people marked on it, in pixels of the source image.
        needed_by: (image, model, search) -> the set, for rows with status `found`; asked image by image.
        with_bar: draws progress over the images.
    """
    measured: dict[int, dict[str, Any]] = {}
    keys = list(zip(areas["image"], areas["model"], areas["search"], areas["status"] == FOUND, strict=True))
    for image, places in with_bar(areas.groupby("image", sort=False).indices.items()):
        regions = regions_of(str(image))
        objects: dict[tuple[Any, ...], Mask] = {}
        for place in places:
            *key, found = keys[place]
            needed = needed_by(*map(str, key)) if regions and found else None
            measured[int(place)] = _measured(needed, regions, objects)
    frame = areas[["image", "model", "architecture", "search", "half", "correct"]].reset_index(drop=True)
    facts = pd.DataFrame.from_dict(measured, orient="index", columns=[*MEASURES, "missing"]).sort_index()
    frame = frame.join(facts)
    frame["beside"] = (frame["inside"] < frame["chance"]).astype("boolean").where(frame["missing"] == "")
    return frame[list(COLUMNS)].astype(COLUMNS)


def _measured(needed: Needed | None, regions: Sequence[Marked], objects: dict[tuple[Any, ...], Mask]) -> dict[str, Any]:
    """Measures of one set, or why there are none; models that see an image alike share the object in their inputs."""
    if not regions:
        return {"missing": NOT_MARKED}
    if needed is None or not needed.mask.any():
        return {"missing": NO_SET}
    key = needed.view, needed.mask.shape
    if key not in objects:
        objects[key] = object_in_input(regions, *key)
    return agreement_of(needed, objects[key]) | {"missing": ""} if objects[key].any() else {"missing": UNSEEN}
