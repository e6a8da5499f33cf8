"""One image from the command line and from Python, with models whose sets are known."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from small_project import kedro_run, make_project

from mps_study import explain
from mps_study.app.command_line import cli

WINDOW = np.s_[8:16, 4:12]
"""The part of the 32 x 32 input that `bright_window` looks at."""
ENOUGH = 40.0
"""Sum over the window's red channel above which the class is 1; each of its 64 pixels is 1 in `photo`."""


@pytest.fixture(scope="module")
def bright_window(tmp_path_factory):
    """An ONNX classifier of two classes: 1 where the red of a window sums to more than `ENOUGH`."""
    weights = np.zeros((1, 3, 32, 32), dtype=np.float32)
    weights[0, 0][WINDOW] = 1.0
    constants = {
        "window": weights,
        "axes": np.array([1, 2, 3]),
        "slope": np.array([[0.0, 1.0]], dtype=np.float32),
        "offset": np.array([ENOUGH, 0.0], dtype=np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["image", "window"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "axes"], ["kept"], keepdims=0),
        helper.make_node("Unsqueeze", ["kept", "last"], ["column"]),
        helper.make_node("MatMul", ["column", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logits"]),
    ]
    constants["last"] = np.array([1])
    graph = helper.make_graph(
        nodes,
        "bright_window",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path = tmp_path_factory.mktemp("onnx") / "bright_window.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture
def photo(tmp_path):
    """A white image: 1 everywhere after a preprocessing without normalisation."""
    path = tmp_path / "white.png"
    Image.new("RGB", (32, 32), "white").save(path)
    return path


PLAIN = "{mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1.0}"


def run(*arguments):
    """`mps-study explain ...`"""
    return CliRunner().invoke(cli, ["explain", *map(str, arguments), "--batch-size", "4", "--device", "cpu"])


def test_it_prints_what_was_found_and_saves_the_picture(bright_window, photo, tmp_path):
    out = tmp_path / "seen.png"
    result = run(photo, "--model", bright_window, "--preprocessing", PLAIN, "--out", out)
    assert result.exit_code == 0, result.output
    facts = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert facts["class"] == "class 1 (1)"
    assert facts["confidence"].startswith("1.000 from the whole image")
    assert facts["picture"] == str(out)
    assert int(facts["evaluations"]) > 20
    picture = np.asarray(Image.open(out).convert("RGB"))
    assert picture.shape[1] > 1000
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50  # the heat map's colours


def test_the_set_holds_what_the_model_needs_and_no_tile_more(bright_window, photo):
    fields = yaml.safe_load(PLAIN)
    found = explain(photo, bright_window, preprocessing=fields, strategy="minimal", granularity=1, device="cpu")
    assert found.mask[WINDOW].sum() == found.mask.sum() == ENOUGH + 1
    assert found.area == (ENOUGH + 1) / 32**2
    assert found.label == 1
    assert found.landscape is None
    assert (found.photo == 255).all()


@pytest.fixture(scope="module")
def red_or_blue(tmp_path_factory):
    """ONNX classifiers by the mean colour: `tail` is behind (batch, 2) logits, red and blue."""
    folder = tmp_path_factory.mktemp("onnx")

    def write(name, *tail, columns=2, names=None):
        weights = np.array([[10.0, -10.0], [0.0, 0.0], [-10.0, 10.0]], dtype=np.float32)[:, 2 - columns :]
        constants = {"weights": weights, "axes": np.array([2, 3]), "one": np.array([1])}
        nodes = [
            helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["raw" if tail else "out"]),
            *tail,
        ]
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 16, 24])],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", columns])],
            [numpy_helper.from_array(value, key) for key, value in constants.items()],
        )
        path = folder / f"{name}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
        return path

    return write


@pytest.fixture
def red(tmp_path):
    """Grey with a red patch."""
    image = Image.new("RGB", (48, 32), (90, 90, 90))
    image.paste((240, 10, 10), (4, 4, 24, 20))
    image.save(tmp_path / "red.png")
    return tmp_path / "red.png"


HARD = [
    helper.make_node("Exp", ["raw"], ["powers"]),
    helper.make_node("ReduceSum", ["powers", "one"], ["sum"], keepdims=1),
    helper.make_node("Div", ["powers", "sum"], ["out"]),
]


def test_probabilities_that_nobody_names_are_refused_and_named_ones_give_their_confidence(red_or_blue, red, tmp_path):
    logits, hidden = red_or_blue("logits"), red_or_blue("hidden", *HARD)
    options = ("--preprocessing", PLAIN, "--out", tmp_path / "seen.png")
    refused = run(red, "--model", hidden, *options)
    assert refused.exit_code == 1 and len(refused.stderr.strip().splitlines()) == 1
    assert "all of it lies in [0, 1]" in refused.stderr and "`output: logits | probabilities" in refused.stderr
    told = [
        run(red, "-m", model, *options, *more)
        for model, more in ((logits, ()), (hidden, ("--output", "probabilities")))
    ]
    lines = [dict(line.split(maxsplit=1) for line in each.stdout.splitlines()) for each in told]
    assert lines[0]["confidence"] == lines[1]["confidence"] and lines[0]["area"] == lines[1]["area"]
    assert lines[0]["area"].endswith("of 384 pixels)")  # 16 x 24


def test_a_class_that_is_asked_for_is_shown_beside_the_models_own(red_or_blue, red, tmp_path):
    model, options = red_or_blue("target"), ("--preprocessing", PLAIN, "--out", tmp_path / "seen.png", "--target", "1")
    without = run(red, "--model", model, *options)
    assert without.exit_code == 1
    assert "the model's class is 0, not 1" in without.stderr and "above 0 (`--floor`)" in without.stderr
    result = run(red, "--model", model, *options, "--floor", "0.9")
    assert result.exit_code == 0, result.output
    assert "class        class 1 (1)" in result.stdout and "the model's  class 0 (0)" in result.stdout
    found = explain(red, model, preprocessing=yaml.safe_load(PLAIN), target=1, confidence_floor=1e-6, device="cpu")
    title = found.figure().axes[0].get_title(loc="left")
    assert title.endswith("class 1\nconf. 0.02; the model's: class 0")


def test_one_logit_is_two_classes(red_or_blue, red):
    fields = yaml.safe_load(PLAIN)
    two, one = (explain(red, red_or_blue(f"c{n}", columns=n), preprocessing=fields, device="cpu") for n in (2, 1))
    assert two.label == one.label == 0
    assert two.mask.shape == one.mask.shape == two.photo.shape[:2] == (16, 24)
    other = explain(red, red_or_blue("c1", columns=1), preprocessing=fields, target=0, device="cpu")
    assert other.answer_name == other.class_name == "class 0"
    with pytest.raises(ValueError, match=r"search.target is 2, but the model's classes are 0 to 1"):
        explain(red, red_or_blue("c1", columns=1), preprocessing=fields, target=2, device="cpu")
    with pytest.raises(
        ValueError, match=r"search.target is 'fox', but the model's classes have no names; give an index"
    ):
        explain(red, red_or_blue("c1", columns=1), preprocessing=fields, target="fox", device="cpu")
    with pytest.raises(ValueError, match=r"search.target is 'label', but a single image has no label"):
        explain(red, red_or_blue("c1", columns=1), preprocessing=fields, target="label", confidence_floor=0.1)


def test_no_label_that_is_there_is_an_answer_too(red_or_blue, tmp_path):
    sigmoids = red_or_blue("none", *ABSENT)
    Image.new("RGB", (24, 16), (90, 90, 90)).save(tmp_path / "grey.png")
    found = explain(tmp_path / "grey.png", sigmoids, preprocessing=yaml.safe_load(PLAIN), device="cpu")
    assert (found.label, found.class_name, found.record.status) == (2, "none of its labels", "baseline")


ABSENT = [
    helper.make_node("Constant", [], ["nine"], value_float=9.0),
    helper.make_node("Sub", ["raw", "nine"], ["less"]),
    helper.make_node("Sigmoid", ["less"], ["out"]),
]


def test_a_floor_of_the_confidence_costs_pixels(bright_window, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    areas = []
    for floor in ("0", "0.9999"):
        result = run(photo, "-m", bright_window, "--preprocessing", PLAIN, "--strategy", "minimal", "--floor", floor)
        line = next(line for line in result.stdout.splitlines() if line.startswith("area"))
        areas.append(float(line.split()[1]))
    assert areas[1] > areas[0]
    assert (tmp_path / "white_mps.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.jpg"], "image 'absent.jpg': there is no such file"),
        (["PHOTO", "--model", "absent.onnx"], "absent.onnx: there is no such ONNX file"),
        (["PHOTO", "--model", "efficientnet_lite"], "did you mean 'efficientnet_lite"),
        (["PHOTO", "--model", "efficientnet_lite0", "--env", "minature"], "did you mean 'miniature'?"),
        (["PHOTO", "--strategy", "best"], "search.strategy is 'best'; use one of rex, contrastive"),
        (["PHOTO", "--strategy", "minimal", "--iterations", "5"], "search.iterations is not read by the strategy mini"),
        (["PHOTO", "--baseline", "grey"], "baseline"),
        (
            ["PHOTO", "-m", "MODEL", "--baseline", "image"],
            "search.baseline is 'image'; say which image: {kind: image, p",
        ),
        (["PHOTO", "-m", "MODEL", "--baseline", "{kind: image}"], "say which image: {kind: image, path: FILE}"),
        (["PHOTO", "-m", "MODEL", "--baseline", "{kind: image, path: absent.png}"], "there is no file absent.png"),
        (["PHOTO", "--floor", "1.5"], "search.minimum_confidence_threshold is 1.5; use a number from 0.0 to 1.0"),
        (["PHOTO", "--model", "MODEL", "--preprocessing", "{mena: [0]}"], "preprocessing.mena"),
        (["PHOTO", "--model", "MODEL", "--preprocessing", "mean"], "preprocessing is 'mean'; use a mapping, such as"),
        (["PHOTO", "--model", "MODEL", "--preprocessing", "[1, 2]"], "preprocessing is [1, 2]; use a mapping, such as"),
        (["PHOTO", "--model", "MODEL", "--preprocessing", "{mean: [124, 116, 104]}"], "else divide both by 255"),
        (["PHOTO", "--model", "MODEL", "--class-names", "imagenet-1k"], "has 1000 names, but the model has 2 classes"),
        (["PHOTO", "--model", "MODEL", "--class-names", "nowhere.txt"], "'nowhere.txt': there is no such file"),
        (["PHOTO", "--model", "efficientnet_lite0", "--class-names", "[a]"], "class_names is for ONNX files"),
        (["PHOTO", "--model", "MODEL", "--out", "seen.docx"], "the suffix must be one of"),
        (["PHOTO", "--batch-size", "0"], "batch_size is 0"),
        (["TEXT", "--model", "MODEL"], "is in none of the formats JPEG, PNG"),
        (["PHOTO", "--model", "convnext_v1"], "model 'convnext_v1' is not fine-tuned yet"),
    ],
)
def test_bad_input_gets_one_clear_line(bright_window, photo, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(make_project(tmp_path / "project"))
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    names = {"PHOTO": photo, "MODEL": bright_window, "TEXT": text}
    arguments = [str(names.get(argument, argument)) for argument in arguments]
    result = CliRunner().invoke(cli, ["explain", *arguments])
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_class_names_are_given_or_the_files_own(bright_window, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = (photo, "--preprocessing", PLAIN, "--strategy", "minimal", "--model")
    assert "class        dark $_{ $ (1)" in run(*asked, bright_window, "--class-names", "['a', 'dark $_{ $']").stdout
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    assert "class        two (1)" in run(*asked, bright_window, "--class-names", "names.txt").stdout
    model = onnx.load(bright_window)
    onnx.helper.set_model_props(model, {"names": "{0: 'dark', 1: 'bright'}"})
    onnx.save(model, tmp_path / "named.onnx")
    assert "class        bright (1)" in run(*asked, "named.onnx").stdout
    assert explain(photo, tmp_path / "named.onnx", class_names=["x", "y"], strategy="minimal").class_name == "y"


def test_an_own_model_of_a_thousand_classes_answers_by_number(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = helper.make_graph(
        [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["logits"])],
        "thousand",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 1000])],
        [numpy_helper.from_array(np.eye(192, 1000, k=1, dtype=np.float32) * (np.arange(1000) == 1), "w")],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(model, opset_imports=opset, ir_version=10), "thousand.onnx")
    asked = ("--preprocessing", PLAIN, "--output", "logits", "--strategy", "minimal", "--model", "thousand.onnx")
    assert "class        class 1 (1)" in run(photo, *asked).stdout
    assert "class        goldfish (1)" in run(photo, *asked, "--class-names", "imagenet-1k").stdout


def test_a_second_photo_of_the_same_name_does_not_take_the_place_of_the_first(
    bright_window, photo, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    asked = ("--preprocessing", PLAIN, "--strategy", "minimal", "--model", bright_window)
    for folder, colour in (("a", "white"), ("b", "red")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (32, 32), colour).save(tmp_path / folder / "x.png")
    first, second, again, more = (run(f"{folder}/x.png", *asked) for folder in "abab")
    assert first.stdout.splitlines()[-1].endswith(" x_mps.png") and again.stdout.splitlines()[-1].endswith(" x_mps.png")
    assert second.stdout.splitlines()[-1].endswith(" x_mps_2.png") and "_2.png" in more.stdout
    assert "x_mps.png is a picture of something else and stays; this one is x_mps_2.png" in second.stderr
    assert sorted(path.name for path in tmp_path.glob("x_mps*")) == ["x_mps.png", "x_mps_2.png"]
    Path("x_mps.png").write_text("notes")
    assert run("a/x.png", *asked).exit_code == 0 and Path("x_mps.png").read_text() == "notes"


def test_a_name_that_looks_like_mathematics_keeps_its_picture(bright_window, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("from_$5_to_$10.png").write_bytes(photo.read_bytes())
    answer = run("from_$5_to_$10.png", "--preprocessing", PLAIN, "--model", bright_window, "--iterations", "1")
    assert answer.exit_code == 0 and (tmp_path / "from_$5_to_$10_mps.png").stat().st_size > 1000


def test_a_picture_is_the_same_however_it_is_handed_over(bright_window, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by the camera
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    pixels[..., 0] |= 192
    path = tmp_path / "phone.jpg"
    Image.fromarray(pixels).save(path, exif=exif)
    fields = yaml.safe_load(PLAIN)

    def found(image):
        return explain(image, bright_window, preprocessing=fields, strategy="minimal", device="cpu")

    expected = found(path)
    for way in (Image.open(path), path.read_bytes(), path.open("rb"), np.asarray(expected.photo)):
        other = found(way)
        assert (other.photo == expected.photo).all() and (other.mask == expected.mask).all()
    with pytest.raises(ValueError, match="of float64; give a path"):
        found(pixels / 255)


def test_numpys_whole_numbers_are_whole_numbers(bright_window, photo):
    fields = {"preprocessing": yaml.safe_load(PLAIN), "device": "cpu", "strategy": "minimal"}
    plain = explain(photo, bright_window, batch_size=4, seed=3, minimum_confidence_threshold=1, **fields)
    numpys = {"batch_size": np.int64(4), "seed": np.int64(3), "minimum_confidence_threshold": np.int64(1)}
    assert (explain(photo, bright_window, **numpys, **fields).mask == plain.mask).all()


def test_an_exported_model_is_shared_with_kedro_run(photo, tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    tiny = yaml.safe_load((project / "conf/miniature/parameters_models.yml").read_text())["models"]["resnet_v2"]
    roster = {"models": {"tiny": tiny | {"weights": "random:0"}}}
    (project / "conf/base/parameters_models.yml").write_text(yaml.safe_dump(roster))
    monkeypatch.chdir(project)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    first = explain(photo, "tiny", device="cpu", batch_size=2, iterations=1)
    model = project / "data/base/04_models/tiny.onnx"
    written = model.stat().st_mtime_ns
    second = explain(photo, "tiny", device="cpu", batch_size=7, iterations=1)
    none = {"labelled": {"n": 0}}  # no photograph has a label of this model's ten classes
    kedro_run(project, env="base", pipelines=["data_sampling", "model_export"], data_sampling=none)
    assert model.stat().st_mtime_ns == written
    assert (first.mask == second.mask).all()
    assert first.record.evaluations == second.record.evaluations
    arguments = ["explain", str(photo), "--model", "tiny", "--device", "cpu", "--iterations", "1"]
    code = f"from mps_study.app.command_line import cli; cli({arguments}, standalone_mode=False)"
    assert loaded_by(code, {"mps_study.app.explanation", "torch", "timm", "mlflow"}) == ["mps_study.app.explanation"]
    for file in (model, model.with_name("tiny.onnx.data")):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ValueError, match=r"tiny\.onnx is not the model that its card describes"):
            explain(photo, "tiny", device="cpu", batch_size=2, iterations=1)
        file.write_bytes(content)


def test_importing_the_package_waits_for_neither_torch_nor_onnx_runtime():
    assert loaded_by("import mps_study", {"torch", "onnxruntime", "kedro", "pandas"}) == []


def loaded_by(code, modules):
    """Which of the modules a process of its own has loaded after the code, sorted."""
    code += f"\nimport sys; print(*sorted({modules} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()[-1].split()


def test_kedro_offers_the_same_command(monkeypatch):
    from kedro.framework.cli.cli import KedroCLI

    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    assert KedroCLI(project_path=root).get_command(None, "explain") is cli.commands["explain"]


def test_a_model_that_another_process_exports_is_told_in_one_line(photo, tmp_path, monkeypatch):
    from mps_study.datasets.claims import Claims

    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    with Claims(project / "data/base/claims").claim("model_export/efficientnet_lite0"):
        answer = CliRunner().invoke(cli, ["explain", str(photo)])
    assert answer.exit_code == 1
    assert "model_export/efficientnet_lite0 is held by process" in answer.stderr and answer.stderr.count("\n") == 1


def test_the_picture_of_an_output_that_is_not_finite_says_why_there_is_no_set(bright_window, photo, tmp_path):
    model = onnx.load(bright_window)
    model.graph.node[-1].output[0] = "finite"
    model.graph.node.append(helper.make_node("Log", ["minus"], ["logits"]))
    model.graph.node.insert(5, helper.make_node("Sub", ["offset", "finite"], ["minus"]))
    model.graph.node[-1].input[0] = "minus"
    onnx.save(model, tmp_path / "broken.onnx")
    arguments = [str(photo), "--model", str(tmp_path / "broken.onnx"), "--out", str(tmp_path / "x.png")]
    done = CliRunner().invoke(cli, ["explain", *arguments, "--device", "cpu", "--output", "logits"])
    assert done.exit_code == 0, done.output
    assert "no class (-1)" in done.output and "output for the whole image is not finite" in done.output
    found = explain(photo, tmp_path / "broken.onnx", device="cpu", output="logits")
    texts = [text.get_text() for axes in found.figure().axes for text in axes.texts]
    assert any("no MPS\nthe model's output for the\nwhole image is not finite" in text for text in texts)


def test_a_threshold_may_be_given_on_the_command_line(bright_window, photo, tmp_path):
    arguments = [str(photo), "--model", str(bright_window), "--out", str(tmp_path / "x.png"), "--device", "cpu"]
    done = CliRunner().invoke(
        cli,
        [
            "explain",
            *arguments,
            "--output",
            "{kind: multi_label_logits, threshold: 0.9}",
            "--preprocessing",
            "{mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1.0}",
        ],
    )
    assert done.exit_code == 0, done.output
    refused = CliRunner().invoke(cli, ["explain", *arguments, "--output", "{kind: logits, threshold: 0.9}"])
    assert refused.exit_code == 1 and "output.threshold is for several labels" in refused.output
