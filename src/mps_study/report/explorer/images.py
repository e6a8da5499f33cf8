"""What the explorer keeps of one image: a small photo, each model's set and responsibility, and how they overlap.

Sets keep the size of their model's input, so nothing is lost; most are a few rectangles, and deflate packs them into
about 60 bytes. Photo and responsibility are coarse: they are there to be looked at.
"""

from __future__ import annotations

import base64
import io
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from mps_study.report.facts.results import Landscape, Photo, Searches, Sighting, StudyResults, View
from mps_study.report.figures.stages import DECADES, readable

Frame = tuple[int, int, int, int]
"""Top, left, bottom, right in source pixels: the rectangle that holds what every model saw of an image."""

SQUARES_BELOW = 64  # a photo of so few pixels is drawn as squares, and a lossy format would smear them


@dataclass(frozen=True)
class ExplorerSizes:
    """Longest sides in pixels of what the explorer keeps beside it.

    Args:
        photo: of an opened image.
        thumbnail: of an image in the grid.
        heat_map: of a responsibility map; 0 for none.
    """

    photo: int = 448
    thumbnail: int = 160
    heat_map: int = 56


def image_script(results: StudyResults, position: int, sizes: ExplorerSizes) -> str:
    """The script that hands one image to the explorer: a page opened from disk may run scripts, but not fetch data.

    It calls `receiveImage(position, facts)`. `sightings` are those of all models in the order of `StudyResults.models`,
    search after search, the study's own first. `packed` is a zlib stream in base64: of each sighting that has them,
    the set and then its further sets as bits, row after row, eight to a byte from the highest, each filled up to a
    whole byte; then likewise the heat maps, a byte a cell, 0 to 255.

    Args:
        results: the study.
        position: of the image in the manifest.
        sizes: of photo and heat maps.
    """
    image = str(results.manifest["image"].iloc[position])
    sightings = sightings_of(results, image)
    picture = results.picture(image)
    frame = frame_of([seen.view for seen in sightings if seen], picture)
    masks, maps, facts = [], [], []
    for seen in sightings:
        mask = None if seen is None else seen.mask
        heat = None if seen is None or seen.landscape is None else heat_map(seen.landscape, sizes.heat_map)
        if seen is not None and mask is not None:
            masks += [np.packbits(each).tobytes() for each in (mask, *seen.further)]
        if heat is not None:
            maps.append(heat[0].tobytes())
        facts.append(None if seen is None else _facts(seen, heat))
    content = {
        "run": results.run_mark(),
        "image": image,
        "photo": None if picture is None else data_uri(framed(picture, frame, sizes.photo)),
        "frame": frame,
        "sightings": facts,
        "packed": base64.b64encode(zlib.compress(b"".join([*masks, *maps]))).decode("ascii"),
        "pairs": pairs(results.overlaps_of_image(image), results.models()),
        "searchPairs": [] if results.searches is None else search_pairs(results.searches, image, results.models()),
    }
    return f"receiveImage({position}, {json.dumps(content, separators=(',', ':'), allow_nan=False)});\n"


def sightings_of(results: StudyResults, image: str) -> list[Sighting | None]:
    """What each model saw and needed of an image, search after search, the study's own first."""
    own = [results.sighting(image, model) for model in results.models()]
    if results.searches is None:
        return own
    others = product(results.searches.others, results.models())
    return own + [results.searches.sighting(image, model, search) for search, model in others]


def _facts(seen: Sighting, heat: tuple[NDArray[np.uint8], str] | None) -> dict[str, Any]:
    return {
        "view": [round(float(edge), 3) for edge in seen.view],
        "mask": None if seen.mask is None else seen.mask.shape,
        "further": len(seen.further),
        "heat": None if heat is None else heat[0].shape,
        "scale": "" if heat is None else heat[1],
    }


def thumbnail(results: StudyResults, position: int, sizes: ExplorerSizes) -> Image.Image:
    """The image as it stands in the grid: cut to the frame; a grey square when it cannot be read."""
    image = str(results.manifest["image"].iloc[position])
    picture = results.picture(image)
    if picture is None:
        return Image.new("RGB", (sizes.thumbnail, sizes.thumbnail), (128, 128, 128))
    views = [results.view(image, model) for model in results.models()]
    small = framed(picture, frame_of([view for view in views if view], picture), sizes.thumbnail)
    if max(small.size) >= SQUARES_BELOW:
        return small
    factor = max(1, sizes.thumbnail // max(small.size))
    return small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)


def frame_of(views: Sequence[View], picture: Photo | None) -> Frame:
    """The smallest rectangle around all models' views, in whole source pixels; the whole picture without a view.

    It reaches over the picture's border where a model's preprocessing pads.
    """
    if not views:
        height, width = (1, 1) if picture is None else picture.shape[:2]
        return 0, 0, height, width
    tops, lefts, bottoms, rights = zip(*views, strict=True)
    tolerance = 1e-6  # a view that ends on a pixel's border by more than rounding
    return (
        math.floor(min(tops) + tolerance),
        math.floor(min(lefts) + tolerance),
        math.ceil(max(bottoms) - tolerance),
        math.ceil(max(rights) - tolerance),
    )


def framed(picture: Photo, frame: Frame, side: int) -> Image.Image:
    """The part of the picture (h, w, 3) inside the frame, black beyond its border, its longest side at most `side`."""
    top, left, bottom, right = frame
    part = Image.fromarray(picture).crop((left, top, right, bottom))
    part.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return part


def data_uri(picture: Image.Image) -> str:
    """The picture as WebP in a data URI, so that a canvas that draws it stays readable."""
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", lossless=max(picture.size) < SQUARES_BELOW, quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def heat_map(landscape: Landscape, side: int) -> tuple[NDArray[np.uint8], str] | None:
    """The landscape (h, w) as means of cells, 0 (nothing) to 255 (its highest pixel), and the scale's name.

    The scale is the one that the figures draw: plain, or the top decades of the logarithm. None when `side` is 0.
    """
    if not side:
        return None
    heights, label = readable(landscape)
    shares = heights if heights.min() >= 0 else heights / DECADES + 1
    height, width = landscape.shape
    shrink = min(1.0, side / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    coarse = Image.fromarray(shares.astype(np.float32)).resize(size, Image.Resampling.BOX)
    return (np.asarray(coarse).clip(0, 1) * 255).round().astype(np.uint8), label


def pairs(overlaps: pd.DataFrame, models: Sequence[str]) -> dict[str, list[Any]]:
    """Status, Dice and Hausdorff of every two models on one image, in the order of `combinations(models, 2)`.

    A measure that is not finite is None; the status tells an infinite distance (`one empty`) from one that is missing.
    """
    rows: Mapping[frozenset[str], dict[str, Any]] = {
        frozenset((str(row["model_a"]), str(row["model_b"]))): {str(name): value for name, value in row.items()}
        for row in overlaps.to_dict("records")
    }
    chosen = [rows.get(frozenset(pair)) for pair in combinations(models, 2)]
    return {
        "status": ["not compared" if row is None else str(row["status"]) for row in chosen],
        "dice": [finite(None if row is None else row["dice"], 4) for row in chosen],
        "hausdorff": [finite(None if row is None else row["hausdorff"], 2) for row in chosen],
    }


def search_pairs(searches: Searches, image: str, models: Sequence[str]) -> list[list[float | None]]:
    """Dice of every two searches of each model on one image, in the order of `combinations`; None if one has no set."""
    rows = searches.overlaps_of_image(image)
    keys = zip(rows["model"], rows["search_a"], rows["search_b"], strict=True)
    dice = {
        (str(model), frozenset((str(a), str(b)))): value
        for (model, a, b), value in zip(keys, rows["dice"], strict=True)
    }
    every = [frozenset(pair) for pair in combinations(searches.names(), 2)]
    return [[finite(dice.get((model, pair)), 4) for pair in every] for model in models]


def finite(value: Any, digits: int) -> float | None:
    """The number, rounded; None when it is missing or not finite."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return None
    return round(float(value), digits)
