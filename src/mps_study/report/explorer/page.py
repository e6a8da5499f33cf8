"""The explorer: one page to look through every image and model of a study, with each image's data beside it.

    explorer.html                   facts of all records and the Dice of all pairs: what filters and sorting need
    explorer/thumbnails/0017.webp   an image in the grid, loaded when it scrolls into sight
    explorer/images/0017.js         photo, sets, responsibility and overlaps of an image, loaded when it is opened

Pages opened from disk may not fetch data, but may load pictures and scripts from a folder beside them.
"""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from numpy.typing import NDArray

from mps_study.common.commands import kedro_run
from mps_study.common.searches import OWN
from mps_study.report.explorer.images import finite
from mps_study.report.facts.results import StudyResults
from mps_study.report.figures.stages import COLOURS
from mps_study.report.figures.style import architecture_colours
from mps_study.report.page.html import summary_line, templates

SCRIPTS = (
    "explorer/study.js",
    "explorer/filter.js",
    "explorer/load.js",
    "explorer/draw.js",
    "explorer/grid.js",
    "explorer/image.js",
)
"""In the order in which they run."""

NO_CLASS = -1


def render_explorer(results: StudyResults) -> str:
    """The page. Thumbnails and images are made one by one (`explorer_images`) and lie in `explorer/` beside it."""
    environment = templates()
    loader = environment.loader
    assert loader is not None
    sources = {
        name: loader.get_source(environment, name)[0] for name in ("page/report.css", "explorer/explorer.css", *SCRIPTS)
    }
    return environment.get_template("explorer/explorer.html").render(
        title=results.title,
        summary=summary_line(results),
        study=as_script(study_facts(results)),
        css=sources["page/report.css"] + sources["explorer/explorer.css"],
        script="\n".join(sources[name] for name in SCRIPTS),
    )


def file_name(position: int) -> str:
    """The name, without its ending, of the files of the image at this position of the manifest."""
    return f"{position:04d}"


def as_script(facts: Any) -> str:
    """JSON that may stand inside a script element, whatever the names in it."""
    return json.dumps(facts, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def study_facts(results: StudyResults) -> dict[str, Any]:
    """What the page holds of the whole study.

    `records` are lists with one entry a search, image and model, search after search and image after image; `dice` one
    an image and pair of models, in thousandths, in the order of `combinations(models, 2)`, by the study's own search.
    Nulls where there is no set, class, label or comparison. `inside` and `beside` are there only in a study with sets
    on images that people marked.
    """
    colours = architecture_colours(results.architectures())
    models = [
        {"name": model, "architecture": name, "colour": colours[name]}
        for model in results.models()
        for name in [results.architecture_of(model)]
    ]
    manifest = results.manifest
    labels = [None if pd.isna(label) else int(label) for label in manifest["label"]]
    records = record_facts(results)
    classes = sorted({index for index in [*labels, *records["target"], *records["kept"]] if index is not None})
    stops = colormaps[COLOURS](np.linspace(0, 1, 32), bytes=True)[:, :3]
    return {
        "run": results.run_mark(),
        "again": kedro_run("reporting"),
        "models": models,
        "searches": [OWN] if results.searches is None else results.searches.names(),
        "classes": {index: results.class_name(index) for index in classes},
        "images": {
            "name": [str(name) for name in manifest["image"]],
            "half": [str(half) for half in manifest["half"]],
            "label": labels,
        },
        "records": records,
        "dice": dice_of_pairs(results),
        "heat": stops.tolist(),
    }


def record_facts(results: StudyResults) -> dict[str, list[Any]]:
    """The columns of `areas` that filters and captions need; status None for a model that was not searched."""
    rows = in_order(results, results.areas if results.searches is None else results.searches.areas)
    return {
        "status": [None if pd.isna(status) else str(status) for status in rows["status"]],
        "target": [None if pd.isna(target) or target <= NO_CLASS else int(target) for target in rows["target"]],
        "kept": [_other_class(*pair) for pair in zip(rows["target"], rows.get("kept", rows["target"]), strict=True)],
        "reason": [None if pd.isna(reason) or not reason else str(reason) for reason in rows["reason"]],
        "correct": [None if pd.isna(correct) else int(correct) for correct in rows["correct"]],
        "area": [finite(area, 6) for area in rows["area"]],
        "confidence": [finite(value, 4) for value in rows["confidence"]],
        "target_confidence": [finite(value, 4) for value in rows["target_confidence"]],
        **agreement_facts(results),
    }


def agreement_facts(results: StudyResults) -> dict[str, list[Any]]:
    """Share of each set inside the object that people marked, and whether it is beside it; none where none marked."""
    agreement = results.agreement
    if agreement.empty or not agreement["inside"].notna().any():
        return {}
    rows = in_order(results, agreement)
    return {
        "inside": [finite(value, 4) for value in rows["inside"]],
        "beside": [None if pd.isna(beside) else int(beside) for beside in rows["beside"]],
    }


def in_order(results: StudyResults, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a frame, search after search, image after image, model after model; missing values where none is."""
    names = [OWN] if results.searches is None else results.searches.names()
    order = pd.MultiIndex.from_product([names, results.manifest["image"].astype(str), results.models()])
    keys = pd.MultiIndex.from_arrays([frame[name].astype(str) for name in ("search", "image", "model")])
    return frame.set_index(keys).reindex(order)


def _other_class(target: Any, kept: Any) -> int | None:
    """The class that a set keeps where it was asked for, and is not the model's answer."""
    return None if pd.isna(kept) or pd.isna(target) or kept == target or kept <= NO_CLASS else int(kept)


def dice_of_pairs(results: StudyResults) -> list[int | None]:
    """Dice in thousandths, image after image, pair after pair."""
    models = results.models()
    place = {frozenset(pair): k for k, pair in enumerate(combinations(models, 2))}
    row_of = {str(image): i for i, image in enumerate(results.manifest["image"])}
    dice: NDArray[np.float64] = np.full((len(row_of), len(place)), np.nan)
    overlaps = results.overlaps
    columns = (overlaps[name].astype(str) for name in ("image", "model_a", "model_b"))
    for image, one, other, value in zip(*columns, overlaps["dice"], strict=True):
        pair = frozenset((one, other))
        if image in row_of and pair in place:
            dice[row_of[image], place[pair]] = value
    return [None if np.isnan(value) else round(1000 * float(value)) for value in dice.ravel()]
