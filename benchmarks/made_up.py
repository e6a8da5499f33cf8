"""A made-up study: sets and maps as ReX makes them, at the input sizes and crops of the paper's 15 models.

Maps are products of nested boxes, a set is the first pixels of its map's ranking, photos are random parts of
scikit-image's. They only resemble a study's: times and sizes are of the right order, no more.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from setting import ROOT
from skimage import data

from mps_study.datasets.records.store import RecordShard
from mps_study.models.export.card import ModelCard
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.mps.config import SearchConfig
from mps_study.mps.types import FOUND, UNSTABLE, AtFloor, Mps, MpsRecord, Target
from mps_study.pipelines.fingerprint import fingerprint
from mps_study.project.searches import searches_of

SHAPES = ((500, 375), (375, 500), (500, 333), (640, 480))
"""Width and height of the photos, one after the other."""
PAPER = {
    "convnext_large": (384, 1.0), "convnext_huge": (512, 1.0), "convnext_huge_v1": (384, 1.0),
    "eva02_large_v1": (448, 1.0), "eva02_large_v2": (448, 1.0), "eva_giant": (560, 1.0),
    "inception_resnet_v2": (299, 0.8975), "inception_v3": (299, 0.875), "inception_v4": (299, 0.875),
    "resnet152_a1": (224, 0.95), "resnet152_a2": (224, 0.95), "resnet152d": (256, 0.95),
    "vit_large": (336, 1.0), "vit_huge_v1": (224, 1.0), "vit_huge_v2": (224, 1.0),
}  # fmt: skip
"""Model of conf/paper -> side of its input, and the share of the image that its crop leaves, as timm has them."""
CROPPED = ("vit_huge_v1", "vit_huge_v2")
"""Cut to a square although nothing is cropped beside it; the others with a share of 1 squash."""
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "retina")
VARIANTS = 24
"""Maps of a side; each is also turned and mirrored."""
SHARD = 8


def photo(image: str, width: int = 500, height: int = 375) -> np.ndarray:
    """(height, width, 3): a random part of a photograph."""
    rng = np.random.default_rng([1, int(image)])
    whole = getattr(data, PHOTOS[rng.integers(len(PHOTOS))])()
    across = int(rng.uniform(0.5, 1) * min(whole.shape[1], whole.shape[0] * width / height))
    down = across * height // width
    top, left = (int(rng.integers(n - part + 1)) for n, part in zip(whole.shape, (down, across), strict=False))
    part = Image.fromarray(whole[top : top + down, left : left + across])
    return np.asarray(part.resize((width, height), Image.Resampling.LANCZOS))


def landscape(rng: np.random.Generator, side: int, iterations: int = 20) -> np.ndarray:
    """(side, side) float32: a product of maps of nested boxes, each cut in four as superpixels are."""
    whole = np.ones((side, side), dtype=np.float32)
    for _ in range(iterations):
        box: tuple[int, ...] = (0, side, 0, side)
        for _ in range(rng.integers(2, 7)):
            top, bottom, left, right = box
            if min(bottom - top, right - left) < 4:
                break
            row, column = rng.integers(top + 1, bottom), rng.integers(left + 1, right)
            parts = [(top, row, left, column), (top, row, column, right),
                     (row, bottom, left, column), (row, bottom, column, right)]  # fmt: skip
            for a, b, c, d in parts:
                whole[a:b, c:d] *= rng.choice([0.2, 0.5, 1.0])
            box = parts[rng.integers(4)]
    whole /= whole.max()
    return whole


def first_pixels(heights: np.ndarray, kept: int) -> np.ndarray:
    """(h, w) bool: the `kept` pixels that lead the map's ranking."""
    least = -np.partition(-heights.ravel(), kept - 1)[kept - 1]
    mask = heights > least
    tied = np.flatnonzero(heights == least)
    mask.flat[tied[: kept - int(mask.sum())]] = True
    return mask


def make_project(folder: Path, images: int, source: Path = ROOT / "src/mps_study") -> Path:
    """A project whose study `paper` has its sample, cards and records, and nothing downstream; made once.

    Args:
        folder: of the project; left alone if it has a study of so many images.
        images: half of them labelled.
        source: the package that it runs.
    """
    link = folder / "src/mps_study"
    if (folder / "made").is_file() and (folder / "made").read_text() == str(images):
        link.unlink()
        link.symlink_to(source)
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    link.parent.mkdir(parents=True)
    link.symlink_to(source)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    shutil.copytree(ROOT / "conf", folder / "conf")
    file = folder / "conf/paper/parameters.yml"
    parameters = yaml.safe_load(file.read_text())
    parameters["search"] |= {"keep_landscape": True, "floors": [0.5, 0.9]}
    file.write_text(yaml.safe_dump(parameters, sort_keys=False))
    _fill(folder, images)
    (folder / "made").write_text(str(images))
    return folder


def _fill(folder: Path, images: int) -> None:
    """Sample, cards and records, through the project's own catalog."""
    bootstrap_project(folder)
    with KedroSession.create(project_path=folder, env="paper") as session:
        context = session.load_context()
        catalog, parameters = context.catalog, context.params
    manifest, files = sample(images)
    catalog.save("images", files)
    catalog.save("manifest", manifest)
    cards = {
        model: card(model, entry.architecture)
        for model, entry in parameters["models"].choose(None, parameters["compared"]).items()
    }
    catalog.save("model_cards", cards)
    for search in searches_of(parameters["search"], parameters["searches"]).values():
        for shard in shards(cards, search, manifest):
            catalog.save("mps_records", shard)


def sample(images: int) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """The manifest, half of it labelled, and its files."""
    rows, files = [], {}
    for i in range(images):
        width, height = SHAPES[i % len(SHAPES)]
        buffer = io.BytesIO()
        Image.fromarray(photo(str(i), width, height)).save(buffer, "JPEG", quality=90)
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        files[f"{digest}.jpg"] = buffer.getvalue()
        labelled = i < images // 2
        rows.append({
            "image": f"{i:05d}", "file": f"{digest}.jpg", "sha256": digest,
            "half": "labelled" if labelled else "unlabelled", "label": i % 1000 if labelled else None,
            "class_name": f"class {i % 1000}" if labelled else None, "source": "made up", "width": width,
            "height": height,
        })  # fmt: skip
    return pd.DataFrame(rows).astype({"label": "Int64"}), files


def card(model: str, architecture: str) -> ModelCard:
    """The card of a model that is nowhere but in its records."""
    side, share = PAPER[model]
    squash = share == 1 and model not in CROPPED
    preprocessing = Preprocessing(input_size=side, crop_pct=share, crop_mode="squash" if squash else "center")
    return ModelCard(
        name=model, architecture=architecture, timm=None, weights="random:0", classes=1000, class_names="imagenet-1k",
        preprocessing=preprocessing, opset=18, digest=hashlib.sha256(model.encode()).hexdigest(), request="made up",
        parity=None,
    )  # fmt: skip


def shards(cards: dict[str, ModelCard], search: SearchConfig, manifest: pd.DataFrame) -> Iterator[RecordShard]:
    """The records of all models, a shard at a time; one in a hundred images has no set."""
    for index, (model, about) in enumerate(cards.items()):
        mark = fingerprint(about, search, manifest)
        for start in range(0, len(manifest), SHARD):
            part = manifest.iloc[start : start + SHARD].to_dict("records")
            views = {row["image"]: about.preprocessing.view(row["width"], row["height"]) for row in part}
            records = [record(row, index, about.preprocessing.input_size) for row in part]
            complete = start + SHARD >= len(manifest)
            yield RecordShard(model, mark.digest, mark.facts, start, records, views, complete=complete)


def record(row: dict[Any, Any], model: int, side: int) -> MpsRecord:
    """What a model found about an image: 1 to 40 % of the pixels, and half as much again at each floor."""
    rng = np.random.default_rng([2, int(row["image"]), model])
    label = int(row["image"]) % 1000
    target = Target(label if rng.uniform() < 0.85 else int(rng.integers(1000)), rng.uniform(0.3, 1))
    if rng.uniform() < 0.01:
        return MpsRecord(row["image"], UNSTABLE, "made up", target, None, float("nan"), 3000, 3100)
    heights = _turned(_landscape(side, int(rng.integers(VARIANTS))), int(rng.integers(8)))
    kept = max(10, int(rng.uniform(0.01, 0.4) * heights.size))
    floors = tuple(
        AtFloor(share, share * target.confidence, Mps(first_pixels(heights, int(kept * more)), 0.9 * target.confidence))
        for share, more in ((0.5, 1.5), (0.9, 2.25))
    )
    confidence = rng.uniform(0.02, 0.9)
    mask = first_pixels(heights, kept)
    return MpsRecord(row["image"], FOUND, "", target, mask, confidence, 3000, 3100, heights, floors=floors)


@cache
def _landscape(side: int, variant: int) -> np.ndarray:
    return landscape(np.random.default_rng([3, side, variant]), side)


def _turned(heights: np.ndarray, how: int) -> np.ndarray:
    turned = np.rot90(heights, how % 4)
    return np.ascontiguousarray(turned[:, ::-1] if how >= 4 else turned)
