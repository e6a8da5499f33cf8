"""A study's sets and maps for other tools: pictures, NumPy files, COCO's JSON, tables."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from mps_study.app.coco import categories, coco_image, found_annotation
from mps_study.app.study_units import StudyNow
from mps_study.common.commands import Typed, kedro_run
from mps_study.common.digests import digest_of
from mps_study.common.file_names import folded, is_device
from mps_study.common.searches import OWN
from mps_study.common.spelling import unknown
from mps_study.datasets.files import write_bytes, written_atomically
from mps_study.datasets.records.given_back import WHOLE, record_of
from mps_study.datasets.samples import named_classes
from mps_study.measures.frame import on_image
from mps_study.models.export.card import class_names
from mps_study.mps.types import MpsRecord
from mps_study.project.study_models import Study

At = Literal["input", "image"]
"""At the model's input size, or at that of the source image."""

FRAMES = (
    "manifest", "left_out", "annotations", "areas", "anytime", "more_sets", "agreement", "overlaps", "search_summary",
    "search_overlaps", "answers", "probes", "sub_explanations", "trust", "model_summary", "statistics", "verification",
)  # fmt: skip
"""The frames that are written as tables, where the study has them."""
LISTS = ("logits", "curve")
"""Columns that hold a list of numbers; in CSV as JSON."""


@dataclass(frozen=True)
class Unit:
    """All records of one model and search.

    `names`: class index -> name. `size`: image -> width and height of the source image.
    """

    model: str
    search: str
    names: Mapping[int, str]
    records: Callable[[], Iterator[tuple[MpsRecord, tuple[float, float, float, float]]]]
    size: Mapping[str, tuple[int, int]]

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Image -> the name of its file, without suffix."""
        return file_names(self.size)

    def placed(self, at: At) -> Iterator[tuple[MpsRecord, NDArray[np.bool_] | None, NDArray[np.float32] | None]]:
        """Each record with its mask (h, w) bool and map (h, w) float32, at the input's or the image's size.

        A map is NaN where the model did not see the image.
        """
        for record, view in self.records():
            mask, landscape = record.mask, record.landscape
            if at == "image":
                width, height = self.size[record.key]
                mask = None if mask is None else on_image(mask, view, width, height, beyond=False)
                landscape = None if landscape is None else on_image(landscape, view, width, height, beyond=np.nan)
            yield record, mask, landscape


def export_sets(now: StudyNow, out: Path, format: str, at: At, models: tuple[str, ...]) -> list[Path]:
    """Write what a study found into a folder, and return what was written.

    Raises:
        ValueError: an unknown model, or records are missing; says what to run.
    """
    for name in models:
        if name not in now.study.roster:
            raise ValueError(unknown("model", name, now.study.roster, "Rosters are conf/*/parameters_models.yml."))
    out.mkdir(parents=True, exist_ok=True)
    if format in TABLES:
        return list(_tables(now.study, out, format))
    return [path for unit in _units(now, models) for path in SETS[format](unit, out, at)]


def _units(now: StudyNow, models: tuple[str, ...]) -> list[Unit]:
    typed = Typed(now.study.env)
    if now.manifest is None:
        raise ValueError(f"this study has no sample yet; run `{kedro_run(typed=typed)}`")
    manifest, store = now.manifest, now.study.dataset("mps_records").load()
    size = {str(i): (int(w), int(h)) for i, w, h in manifest[["image", "width", "height"]].itertuples(index=False)}
    units = []
    for each in now.units:
        if models and each.model not in models:
            continue
        if each.card is None or each.mark is None or not store.is_complete(each.model, each.mark.digest):
            more = {} if each.search == OWN else {"only_search": each.search}
            command = kedro_run("mps_extraction", typed=typed, model=each.model, **more)
            raise ValueError(f"model {each.model!r} has no complete records of search {each.search!r}; run `{command}`")

        def records(model: str = each.model, mark: str = each.mark.digest) -> Iterator[Any]:
            by_image = store.by_image({model: mark})
            for image in size:
                row = by_image.record(image, model, (*WHOLE, "view"))
                assert row is not None  # the store is complete
                yield record_of(row), tuple(row["view"])

        names = class_names(each.card, named_classes(manifest))
        units.append(Unit(each.model, each.search, names, records, size))
    return units


def _pictures(unit: Unit, out: Path, at: At) -> Iterator[Path]:
    """PNGs, white where a pixel is kept; none for an image without a set."""
    for record, mask, _ in unit.placed(at):
        if mask is not None:
            path = _place(out, unit, record.key, ".png")
            with written_atomically(path) as unfinished:
                Image.fromarray(mask).save(unfinished, format="PNG")
            yield path


def _arrays(unit: Unit, out: Path, at: At) -> Iterator[Path]:
    """One .npz an image: `mask`, `landscape` where it was kept, and the facts of the set."""
    for record, mask, landscape in unit.placed(at):
        arrays: dict[str, Any] = {
            "status": record.status, "label": record.target.label, "confidence": record.confidence,
            "target_confidence": record.target.confidence, "evaluations": record.evaluations,
        }  # fmt: skip
        arrays |= {} if mask is None else {"mask": mask}
        arrays |= {} if landscape is None else {"landscape": landscape}
        path = _place(out, unit, record.key, ".npz")
        with written_atomically(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        yield path


def _coco(unit: Unit, out: Path, at: At) -> Iterator[Path]:
    """One JSON: images, one annotation a set (compressed RLE, `score` is its confidence), categories."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (record, mask, _) in enumerate(unit.placed(at), start=1):
        width, height = unit.size[record.key]
        if at == "input" and mask is not None:
            height, width = mask.shape
        images.append(coco_image(number, record.key, width, height))
        if mask is not None:
            annotations.append(found_annotation(len(annotations) + 1, number, record, mask))
    labels = sorted({annotation["category_id"] for annotation in annotations})
    found = {
        "info": {"description": f"minimal sufficient pixel sets, {unit.model}, {unit.search}, at the {at}'s size"},
        "images": images, "annotations": annotations, "categories": categories(labels, unit.names),
    }  # fmt: skip
    path = out / f"{unit.model}.{unit.search}.json"
    write_bytes(path, json.dumps(found).encode())
    yield path


def _tables(study: Study, out: Path, format: str) -> Iterator[Path]:
    """Every frame of the study, and `dictionary.csv`, which says what each column is."""
    dictionary = pd.read_csv(Path(__file__).with_name("dictionary.csv"), dtype=str, keep_default_na=False)
    written = []
    for name in FRAMES:
        dataset = study.dataset(name)
        if not dataset.exists():
            continue
        frame = dataset.load()
        path = out / f"{name}.{format}"
        with written_atomically(path) as unfinished:
            TABLES[format](frame, unfinished)
        written.append(name)
        yield path
    if not written:
        raise ValueError(f"this study has no measures yet; run `{kedro_run(typed=Typed(study.env))}`")
    path = out / "dictionary.csv"
    with written_atomically(path) as unfinished:
        dictionary[dictionary["frame"].isin(written)].to_csv(unfinished, index=False)
    yield path


def _place(out: Path, unit: Unit, image: str, suffix: str) -> Path:
    """A file of its own for each image, also on a disk that tells no `A` from `a`."""
    path = out / unit.search / unit.model / f"{unit.files[image]}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def file_names(images: Iterable[str]) -> dict[str, str]:
    """Image -> the name of its file: what file systems do not take becomes `_`, what two would share gets a digest."""
    safe = {image: re.sub(r"[^\w.-]+", "_", image.replace("/", "__")).rstrip(".") for image in images}
    safe = {image: f"_{name}" if not name or is_device(name) else name for image, name in safe.items()}
    times = Counter(map(folded, safe.values()))
    return {
        image: f"{name}_{digest_of(image)[:8]}" if times[folded(name)] > 1 else name for image, name in safe.items()
    }


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    if "mask" in frame:
        frame = frame.assign(
            mask=[b64encode(mask).decode() if isinstance(mask, bytes) else "" for mask in frame["mask"]]
        )
    lists = {name: frame[name].map(_as_json) for name in LISTS if name in frame}
    frame.assign(**lists).to_csv(path, index=False)


def _as_json(values: Any) -> str:
    """The numbers as JSON, each with as many digits as it has; empty where there are none."""
    return "" if values is None or np.ndim(values) == 0 else json.dumps([float(f"{each:.9g}") for each in values])


def _to_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False)


SETS: dict[str, Callable[[Unit, Path, At], Iterator[Path]]] = {"png": _pictures, "npz": _arrays, "coco": _coco}
TABLES: dict[str, Callable[[pd.DataFrame, Path], None]] = {"csv": _to_csv, "parquet": _to_parquet}
