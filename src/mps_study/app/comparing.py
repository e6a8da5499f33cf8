"""Two or more models on a folder of images: a project of its own, whose study is run to report and explorer."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mps_study.app.python.comparison import STUDY, Comparison
from mps_study.app.python.exported import FOLDER, export_given
from mps_study.common.spelling import unknown
from mps_study.images.sources import candidates_of
from mps_study.models.given.given import GivenModel
from mps_study.models.inference.classifier import OnnxClassifier
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.roster.timm_names import timm_fault
from mps_study.project.new_project import ROSTER, new_project, roster_of

log = logging.getLogger(__name__)

OURS = "conf/local/comparison.yml"
"""By this file a folder is known to be a project that a comparison made."""


def compare(
    images: str | Path,
    models: Sequence[Any],
    out: str | Path = "comparison",
    n: int | None = None,
    search: Mapping[str, Any] | None = None,
    class_names: Any = None,
    preprocessing: Mapping[str, Any] | None = None,
    device: str = "auto",
) -> Comparison:
    """Compare models on a folder of images, in a project in `out`, to report and explorer.

    The same call again goes on where it stopped. `cd OUT && kedro run` does the same: the project is the user's own,
    what was asked for stands in `conf/local`.

    Args:
        images: a folder, flat (unlabelled) or with one sub-folder a class (labelled).
        models: two or more: names of the roster, of timm (`resnet50.a1_in1k`), paths of ONNX files, or modules of torch
            in evaluation mode, which are exported into the project; a `GivenModel` says what one takes.
        out: a folder that is new, empty, or of an earlier comparison.
        n: images that are drawn, uniformly; None takes all.
        search: what differs from `search` of conf/base.
        class_names: of the ONNX files, where they do not say themselves (as in a roster).
        preprocessing: of the ONNX files, where it is not ImageNet's usual.
        device: `cpu`, `cuda`, or `auto`.

    Example:
        >>> compared = compare("photos", ["resnet50.a1_in1k", "mine.onnx"], "out")  # doctest: +SKIP
        >>> compared.table("models"), compared.report  # doctest: +SKIP

    Raises:
        ValueError: what was asked for cannot be done; one line.
        ComparisonError: the run ended with a failure, which it has told.
    """
    images, out = Path(images), Path(out)
    models = [str(model) if isinstance(model, Path) else model for model in models]
    if len({each if isinstance(each, str) else id(each) for each in models}) < 2:
        raise ValueError("a comparison takes two models or more; give --model twice, each another one")
    found = candidates_of({"kind": "folder", "path": str(images)})
    labelled = [candidate.class_name is not None for candidate in found]
    if any(labelled) and not all(labelled):
        loose = found[labelled.index(False)].image
        raise ValueError(
            f"{images}: some images lie in a folder of their class and others, such as {loose!r}, do not; sort all of "
            "them into such folders, or none"
        )
    if n is not None and n > len(found):
        raise ValueError(f"{images} has {len(found)} images, but {n} are asked for; give --n {len(found)} or fewer")
    if (out / ROSTER).is_file() and not (out / OURS).is_file():
        raise ValueError(f"{out} is a project that no comparison made; name another folder, or use `kedro run` in it")
    roster = yaml.safe_load(roster_of(out).read_text(encoding="utf-8"))["models"]
    with tempfile.TemporaryDirectory() as exported:
        named = _named(models, roster, class_names, preprocessing, Path(exported), out / FOLDER)
        if not (out / ROSTER).is_file():
            new_project(out)
            text = "# Made by `mps-study compare`, which writes the other files of this folder anew.\n"
            (out / OURS).write_text(text, encoding="utf-8")
        for file in Path(exported).iterdir():
            (out / FOLDER).mkdir(parents=True, exist_ok=True)
            shutil.move(file, out / FOLDER / file.name)
    draw = {"source": {"kind": "folder", "path": str(images.resolve())}, "n": n or len(found)}
    halves = {"labelled": draw, "unlabelled": None} if all(labelled) else {"labelled": None, "unlabelled": draw}
    title = f"{' and '.join([', '.join(list(named)[:-1]), list(named)[-1]])} on {draw['n']} images of {images.name}"
    parameters: dict[str, Any] = {
        "compared": list(named),
        "models": {name: entry for name, entry in named.items() if entry},
        "data_sampling": halves,
        "searches": {},
        "extraction": {"device": device},
        "reporting": {"title": title},
    }
    if not parameters["models"]:
        del parameters["models"]
    if search:
        parameters["search"] = dict(search)
    local = out / "conf/local"
    text = yaml.safe_dump(parameters, allow_unicode=True, sort_keys=False)
    (local / "parameters.yml").write_text(text, encoding="utf-8")
    (local / "globals.yml").write_text(f"study: {STUDY}\nfine_tuned_study: none\n", encoding="utf-8")
    _run(out)
    return Comparison(out)


class ComparisonError(RuntimeError):
    """The run of a comparison failed; it has said why."""


def _run(out: Path) -> None:
    environment = os.environ | {"DO_NOT_TRACK": "true"}
    done = subprocess.run([sys.executable, "-m", "kedro", "run"], cwd=out, env=environment, check=False)
    if done.returncode:
        raise ComparisonError(
            f"the run in {out} ended with exit code {done.returncode}; once that is mended, the same command goes on"
        )


def _named(
    models: Sequence[Any],
    roster: Mapping[str, Any],
    class_names: Any,
    preprocessing: Mapping[str, Any] | None,
    exported: Path,
    home: Path,
) -> dict[str, dict[str, Any] | None]:
    """Name -> what the roster must say of it; None for a model that it has. Modules are exported, to lie in `home`."""
    named: dict[str, dict[str, Any] | None] = {}
    for model in dict.fromkeys(models):
        name, entry = model, None
        if not isinstance(model, str):
            name, entry = export_given(model if isinstance(model, GivenModel) else GivenModel(model), exported, home)
        elif model.endswith(".onnx"):
            name, entry = _of_file(Path(model), class_names, preprocessing)
        elif model not in roster:
            entry = {"architecture": model.partition(".")[0], "timm": model}
            fault = timm_fault(model, ModelEntry.model_validate(entry))
            if fault:
                near = unknown("model", model, roster, "A model is a name of the roster, of timm, or a path to .onnx.")
                raise ValueError(f"{near} ({fault})")
        if name in named:
            raise ValueError(f"two models would be called {name!r}; give one of the files another name")
        named[name] = entry
    return named


def _of_file(path: Path, class_names: Any, preprocessing: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    classifier = OnnxClassifier(path, "cpu", 1, 1)
    name = re.sub(r"[^\w .+-]", "_", path.stem)
    entry: dict[str, Any] = {"architecture": name, "onnx": str(path.resolve()), "classes": classifier.classes}
    entry |= {} if class_names is None else {"class_names": class_names}
    entry |= {} if preprocessing is None else {"preprocessing": dict(preprocessing)}
    return name, entry
