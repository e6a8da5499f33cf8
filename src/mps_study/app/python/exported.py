"""Models that Python holds as ONNX files, so that a project can be run again without the Python that made them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mps_study.app.python.subject import preprocessing_of
from mps_study.models.given.asked import GivenModelError, function_of_module, is_module, is_session
from mps_study.models.given.classifier import GivenClassifier, name_of
from mps_study.models.given.given import GivenModel
from mps_study.models.roster.outputs import output_said, plain_output

FOLDER = "data/given"
"""Where a project keeps them."""


def export_given(given: GivenModel, folder: Path, home: Path) -> tuple[str, dict[str, Any]]:
    """Write a module as ONNX into a folder, and say what a roster says of it once the files lie in `home`.

    Raises:
        ValueError: it is no module of torch, or none that can be asked; one line.
    """
    name = re.sub(r"[^\w .+-]", "_", given.name or name_of(given.model))
    if not is_module(given.model):
        kind = "a session of ONNX Runtime" if is_session(given.model) else "a function"
        raise GivenModelError(
            f"{name} is {kind}, which no later run could ask again; hand over the path of its ONNX file, or a module "
            "of torch (`explain` and `extract_mps` take it as it is)"
        )
    from mps_study.models.export.from_timm import to_onnx

    function_of_module(name, given.model)  # its complaints come before the export
    preprocessing = preprocessing_of(given)
    classifier = GivenClassifier(given.model, preprocessing.shape, given.output, 1, name)
    path = folder / f"{name}.onnx"
    to_onnx(given.model, preprocessing.shape, path)
    entry: dict[str, Any] = {
        "architecture": name,
        "onnx": str((home / path.name).resolve()),
        "classes": classifier.classes,
        "preprocessing": preprocessing.model_dump(mode="json"),
    }
    names = given.class_names
    if names is not None:
        entry["class_names"] = dict(names) if isinstance(names, Mapping) else names
        if not isinstance(names, Mapping | str):
            entry["class_names"] = list(names)
    said = output_said(given.output)
    if said is not None:
        entry["output"] = plain_output(said)
    return name, entry
