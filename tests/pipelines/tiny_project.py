"""A project whose study needs no training: a folder of small photos, two untrained models, a short search."""

import os
import subprocess
import sys
from pathlib import Path

import yaml
from small_project import make_project

from images.pictures import write_pictures

ENTRY = {
    "architecture": "ResNet",
    "timm": "resnet18",
    "weights": "random:1",
    "classes": 10,
    "arguments": {"layers": [1, 1, 1, 1], "channels": [4, 4, 8, 8]},
    "preprocessing": {"input_size": 16},
}


def make_tiny_project(folder: Path) -> Path:
    """The environment `tiny`: its photos lie in `photos`, it compares `one`, and its roster has `two` as well."""
    make_project(folder)
    # folders that are numbers: the models have ten classes
    write_pictures(folder / "photos", *(f"{kind}/{i}.png" for kind in ("0", "1") for i in range(4)))
    parameters = {
        "data_sampling": {
            "labelled": {"source": {"kind": "folder", "path": "photos"}, "n": 3},
            "unlabelled": {"source": {"kind": "folder", "path": "photos"}, "n": 2},
        },
        "compared": ["one"],
        "models": {"one": ENTRY, "two": ENTRY | {"weights": "random:2"}},
        "search": {"iterations": 1, "tree_depth": 2, "min_box_size": 4},
        "searches": {},
        "extraction": {"device": "cpu", "batch_size": 8, "workers": 1, "max_failed_share": 1.0},
    }
    (folder / "conf/tiny").mkdir()
    (folder / "conf/tiny/parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (folder / "conf/tiny/globals.yml").write_text("study: tiny")
    return folder


def files(project: Path) -> dict[str, int]:
    """Every file of the study but its claims, and when it was written."""
    found = (path for path in (project / "data/tiny").rglob("*") if path.is_file() and "claims" not in path.parts)
    return {str(path.relative_to(project)): path.stat().st_mtime_ns for path in found}


def versions(project: Path, name: str) -> list[str]:
    """The versions of a frame."""
    return sorted(path.parent.name for path in (project / "data/tiny").rglob(f"{name}.parquet/*/{name}.parquet"))


def start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """`kedro run --env tiny ...` in a process of its own."""
    kedro = Path(sys.executable).with_name("kedro")
    environment = os.environ | {"DO_NOT_TRACK": "true", "COLUMNS": "200"}
    command = [str(kedro), "run", "--env", "tiny", *arguments]
    return subprocess.Popen(
        command, cwd=project, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
