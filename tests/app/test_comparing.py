"""Two models on a folder, from nothing to the report; and what is refused before anything is written."""

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from models.colour_models import FORMS, colour_model
from mps_study.app.command_line import cli

COLOURS = {"red": (230, 20, 30), "blue": (30, 20, 230)}
PLAIN = "{mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1.0, crop_mode: squash}"


@pytest.fixture
def images(tmp_path):
    """A folder with a sub-folder a class."""
    for colour, value in COLOURS.items():
        for number in range(2):
            pixels = np.random.default_rng(number).integers(100, 110, (30, 40, 3), dtype=np.uint8)
            pixels[4:20, 5:30] = value
            path = tmp_path / "images" / colour / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path / "images"


@pytest.fixture
def models(tmp_path):
    return [str(colour_model(tmp_path / f"{name}.onnx", **FORMS["float32"][0])) for name in ("one", "two")]


def run(images, out, *models, more=()):
    words = ["compare", str(images), "--out", str(out), *more]
    done = CliRunner().invoke(cli, [*words, *(word for model in models for word in ("--model", model))])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_two_onnx_files_are_compared_to_report_and_explorer(images, models, tmp_path):
    more = ["--class-names", "[red, green, blue]", "--preprocessing", PLAIN, "--device", "cpu", "--n", "3"]
    out = tmp_path / "out"
    code, said = run(images, out, *models, more=more)
    assert code == 0, said
    report = out / "data/comparison/08_report/report.html"
    assert str(report) in said and report.is_file() and report.with_name("explorer.html").is_file()
    assert "one and two on 3 images of images" in report.read_text()
    local = yaml.safe_load((out / "conf/local/parameters.yml").read_text())
    assert local["compared"] == ["one", "two"] and local["data_sampling"]["unlabelled"] is None

    records = {path: path.stat().st_mtime_ns for path in out.rglob("05_mps_records/**/*.parquet")}
    assert records and run(images, out, *models, more=more)[0] == 0
    assert records == {path: path.stat().st_mtime_ns for path in out.rglob("05_mps_records/**/*.parquet")}


def test_what_cannot_be_compared_is_one_line_and_nothing_is_written(images, models, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "mixed/a").mkdir(parents=True)
    for name in ("a/1.png", "2.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / "mixed" / name)
    for wrong, told in {
        (images, models[0]): "a comparison takes two models or more",
        (images, models[0], models[0]): "a comparison takes two models or more",
        (tmp_path / "none", *models): "image folder",
        (tmp_path / "mixed", *models): "some images lie in a folder of their class and others, such as '2.png', do not",
        (images, models[0], "resnet5o"): "timm has no model 'resnet5o'; nearest: resnet50",
        (images, models[0], str(tmp_path / "no.onnx")): "no.onnx",
    }.items():
        code, said = run(wrong[0], out, *wrong[1:])
        assert code == 1 and told in said and "Traceback" not in said, said
        assert not out.exists()
    assert "has 4 images, but 5 are asked for" in run(images, out, *models, more=["--n", "5"])[1]


def test_a_folder_that_is_something_else_is_left_alone(images, models, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    assert "is there already and not empty" in run(images, tmp_path / "full", *models)[1]
    CliRunner().invoke(cli, ["new", str(tmp_path / "mine")])
    assert "is a project that no comparison made" in run(images, tmp_path / "mine", *models)[1]
    assert not (tmp_path / "mine/conf/local/parameters.yml").exists()
