"""A module of torch beside a file that computes the same: one comparison, equal sets, a project that goes on."""

import numpy as np
import pytest
from PIL import Image

from models.colour_models import FORMS, PLAIN, colour_model
from models.colour_modules import Colours
from mps_study import Comparison, GivenModel, compare

NAMES = ["red", "green", "blue"]


def test_a_module_is_exported_into_the_project_and_has_the_sets_of_its_file(tmp_path):
    (tmp_path / "images/blue").mkdir(parents=True)
    for number in range(3):
        pixels = np.random.default_rng(number).integers(100, 110, (30, 40, 3), dtype=np.uint8)
        pixels[4:20, 5 + number : 30] = (30, 20, 230)
        Image.fromarray(pixels).save(tmp_path / "images/blue" / f"{number}.png")
    module = GivenModel(Colours().eval(), {**PLAIN, "input_size": 16}, class_names=NAMES)
    file = colour_model(tmp_path / "file.onnx", **FORMS["float32"][0])
    out = tmp_path / "out"
    found = compare(tmp_path / "images", [module, file], out, class_names=NAMES, preprocessing=PLAIN, device="cpu")
    assert isinstance(found, Comparison) and found.report.is_file() and found.explorer.is_file()
    assert (out / "data/given/Colours.onnx").is_file()
    dice = found.table("dice").set_index("Model")
    assert dice.loc["Colours", "file"] == 1
    with pytest.raises(ValueError, match="table 'modles' is unknown; did you mean 'models'"):
        found.table("modles")


def test_what_no_later_run_could_ask_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "images/a.png")

    def colours(inputs):
        return inputs.mean(axis=(2, 3))

    with pytest.raises(ValueError, match="colours is a function, which no later run could ask again"):
        compare(tmp_path / "images", [colours, Colours().eval()], tmp_path / "out")
    with pytest.raises(ValueError, match="two models or more"):
        compare(tmp_path / "images", [colours, colours], tmp_path / "out")
    assert not (tmp_path / "out").exists()
