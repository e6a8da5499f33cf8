"""The wheel away from the clone: installed beside the environment's packages, with and without torch and timm."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient
from PIL import Image

from models.colour_models import FORMS, colour_model

ROOT = Path(__file__).parents[2]
HIDING = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("timm", "torch", "torchvision", "onnxscript"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
"""
COLOURS = {"red": (230, 20, 30), "green": (20, 230, 30), "blue": (30, 20, 230)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this clone, in which somebody keeps a password where passwords belong."""
    clone = tmp_path_factory.mktemp("clone")
    for part in ("src", "notebooks", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        (clone / part).symlink_to(ROOT / part)
    (clone / "data").mkdir()
    (clone / "data/README.md").symlink_to(ROOT / "data/README.md")
    for source in (ROOT / "conf").rglob("*"):
        if source.is_file() and (source.parent.name != "local" or source.name == "README.md"):
            target = clone / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (clone / "conf/local/credentials.yml").write_text("password: secret")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(clone / "dist"),
        ".",
    ]
    subprocess.run(command, cwd=clone, check=True)
    (path,) = (clone / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds the installed wheel and nothing else, and one that hides torch and timm."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder / "packages")
    (folder / "hiding").mkdir()
    (folder / "hiding/sitecustomize.py").write_text(HIDING)
    return folder


def run(installed, cwd, *command, hiding=True):
    """`python -m ...` with the installed wheel; its output."""
    path = [str(installed / "packages"), *([str(installed / "hiding")] if hiding else [])]
    home = installed / "home"
    home.mkdir(exist_ok=True)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path), "DO_NOT_TRACK": "true", "COLUMNS": "200",
        "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, env=environment, text=True, capture_output=True, timeout=600
    )
    return done.returncode, done.stdout + done.stderr


def photo(path, colour):
    """Grey with a patch of a colour, in a folder of that name."""
    pixels = np.random.default_rng(len(str(path))).integers(100, 110, (30, 40, 3), dtype=np.uint8)
    pixels[4:20, 5:30] = COLOURS[colour]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_the_wheel_has_the_conf_of_the_clone_and_nobodys_passwords(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        packed = {name.partition("template/")[2] for name in names if "/template/conf/" in name}
        conf = {
            path.relative_to(ROOT).as_posix() for path in (ROOT / "conf").rglob("*.yml") if "local" not in path.parts
        }
        assert packed == conf | {"conf/local/README.md"}
        for name in conf:
            assert file.read(f"mps_study/project/template/{name}") == (ROOT / name).read_bytes()
    assert not [name for name in names if "credentials" in name or "__pycache__" in name]


def test_a_study_of_onnx_files_needs_neither_a_clone_nor_torch(installed, tmp_path):
    folder = tmp_path / "Meine Studie ä"
    code, said = run(installed, tmp_path, "mps_study", "new", folder.name)
    assert code == 0, said
    assert run(installed, tmp_path, "mps_study", "new", folder.name)[1].strip().endswith("name a folder that is new")
    form, preprocessing = FORMS["float32"]
    for name in ("one", "two"):
        colour_model(folder / f"{name}.onnx", **form)
    for colour in COLOURS:
        for number in range(2):
            photo(folder / "photos" / colour / f"{number}.png", colour)
    entry = {
        "architecture": "A", "classes": 3, "class_names": list(COLOURS),
        "preprocessing": json.loads(json.dumps(preprocessing)),
    }  # fmt: skip
    parameters = {
        "data_sampling": {"labelled": {"source": {"kind": "folder", "path": "photos"}, "n": 5}, "unlabelled": None},
        "models": {name: entry | {"onnx": f"{name}.onnx"} for name in ("one", "two")},
        "search": {"iterations": 1, "tree_depth": 2, "min_box_size": 4},
        "extraction": {"device": "cpu", "batch_size": 8, "workers": 1},
    }
    (folder / "conf/own").mkdir()
    (folder / "conf/own/parameters.yml").write_text(yaml.safe_dump(parameters, allow_unicode=True))
    (folder / "conf/own/globals.yml").write_text("study: own")
    code, said = run(installed, folder, "kedro", "run", "--env", "own")
    assert code == 0, said
    assert (folder / "data/own/08_report/report.html").is_file()
    assert (folder / "data/own/08_report/explorer.html").is_file()
    (command,) = re.findall("MLflow: `(.*)`, then http", said)
    client = MlflowClient(tracking_uri=shlex.split(command)[-1])  # the folder has a space and an umlaut
    assert client.get_experiment_by_name("own") is not None

    code, said = run(installed, folder, "kedro", "run", "--pipelines", "model_export")
    assert code == 1 and "is a timm model, but timm is not installed; `pip install timm torch" in said
    assert "Traceback" not in said


def test_one_image_is_explained_without_clone_and_torch(installed, tmp_path):
    form, _ = FORMS["float32"]
    colour_model(tmp_path / "m.onnx", **form)
    photo(tmp_path / "x.png", "red")
    plain = "{mean: [0, 0, 0], std: [1, 1, 1]}"
    command = ("mps_study", "explain", "x.png", "--model", "m.onnx", "--class-names", "[red, green, blue]")
    code, said = run(installed, tmp_path, *command, "--preprocessing", plain)
    assert code == 0, said
    assert "red (0)" in said and (tmp_path / "x_mps.png").is_file()

    code, said = run(installed, tmp_path, "mps_study", "explain", "x.png")
    assert code == 1 and "'efficientnet_lite0' is a timm model, but timm is not installed" in said
    assert "Traceback" not in said


def test_models_are_compared_on_a_folder_without_clone_and_torch(installed, tmp_path):
    form, preprocessing = FORMS["float32"]
    for name in ("one", "two"):
        colour_model(tmp_path / f"{name}.onnx", **form)
    for colour in COLOURS:
        for number in range(2):
            photo(tmp_path / "photos" / colour / f"{number}.png", colour)
    command = ("mps_study", "compare", "photos", "--model", "one.onnx", "--model", "two.onnx", "--out", "found")
    told = ("--class-names", "[red, green, blue]", "--preprocessing", json.dumps(preprocessing))
    code, said = run(installed, tmp_path, *command, *told)
    assert code == 0, said
    assert (tmp_path / "found/data/comparison/08_report/report.html").is_file()
    assert (tmp_path / "found/data/comparison/08_report/explorer.html").is_file()

    code, said = run(installed, tmp_path, *command, "--model", "resnet18")
    assert code == 1 and "timm is not installed; `pip install timm torch" in said
    assert "Traceback" not in said


def test_the_default_model_is_explained_at_once(installed, tmp_path):
    photo(tmp_path / "x.png", "red")
    code, said = run(installed, tmp_path, "mps_study", "explain", "x.png", "--iterations", "1", hiding=False)
    assert code == 0, said
    (card,) = (installed / "home/cache/mps-study").glob("*/data/base/04_models/efficientnet_lite0.json")
    assert "efficientnet_lite0" in said and card.is_file()
