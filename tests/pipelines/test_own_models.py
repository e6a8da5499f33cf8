"""A study of the user's own ONNX models: of several heads, types and sizes, and of the images' own labels."""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import yaml
from click import ClickException
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from small_project import kedro_run, make_project, table

from mps_study import SearchConfig
from mps_study.datasets.records.store import MpsRecords, unpack_mask
from mps_study.pipelines.fingerprint import fingerprint
from mps_study.pipelines.targets import targets_of

RED, BLUE = (220, 30, 20), (20, 40, 230)
WRONG = "a/wrong.png"
"""A blue picture among the red ones."""
PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "crop_pct": 1.0, "crop_mode": "squash"}


def write(path, shape, columns, tail=(), kind=TensorProto.FLOAT, divide=1.0):
    """Mean colour -> how blue (one column), or how red and how blue; class 0 is red, 1 is blue."""
    blue = np.array([[-20.0], [0.0], [20.0]], dtype=np.float32)
    weights = blue if columns == 1 else np.concatenate([-blue, blue], axis=1) / 2
    nodes = [
        helper.make_node("Cast", ["image"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["cast", "divide"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["raw" if tail else "out"]),
        *tail,
    ]
    values = {"weights": weights, "axes": np.array([2, 3]), "divide": np.float32(divide)}
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ("batch", columns))],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return {"architecture": "A", "onnx": path.name, "classes": 2}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose study of five small models of one mind has run, from nothing to the report."""
    folder = make_project(tmp_path_factory.mktemp("own") / "project")
    random = np.random.default_rng(0)
    for name in ("a/1.png", "a/2.png", WRONG, "b/1.png", "b/2.png", "b/3.png"):
        pixels = random.integers(100, 120, (30, 40, 3), dtype=np.uint8)
        pixels[4:20, 5:30] = RED if name[0] == "a" and name != WRONG else BLUE
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    sigmoid = [helper.make_node("Sigmoid", ["raw"], ["out"])]
    soft = [helper.make_node("Softmax", ["raw"], ["out"], axis=1)]
    fails = [
        helper.make_node("Constant", [], ["form"], value_ints=[1, 2]),
        helper.make_node("Reshape", ["raw", "form"], ["out"]),
    ]
    models = {
        "rect": write(folder / "rect.onnx", ("batch", 3, 12, 24), 2) | {"preprocessing": PLAIN},
        "one_logit": write(folder / "one.onnx", ("batch", 3, 16, 16), 1) | {"preprocessing": PLAIN},
        "one_sigmoid": write(folder / "sig.onnx", ("batch", 3, 16, 16), 1, sigmoid) | {"preprocessing": PLAIN},
        "labels": write(folder / "labels.onnx", ("batch", 3, 16, 16), 2, sigmoid) | {"preprocessing": PLAIN},
        "bytes": write(folder / "bytes.onnx", ("batch", 3, 16, 16), 2, soft, TensorProto.UINT8, 255)
        | {"preprocessing": {"crop_pct": 1.0, "crop_mode": "squash"}},
        "bgr": write(folder / "open.onnx", ("batch", 3, "h", "w"), 2)
        | {"preprocessing": PLAIN | {"input_size": [16, 20], "channels": "bgr"}},
        "broken": write(folder / "broken.onnx", ("batch", 3, 16, 16), 2, fails) | {"preprocessing": PLAIN},
    }
    parameters = {
        "data_sampling": {"labelled": {"source": {"kind": "folder", "path": "photos"}, "n": 6}, "unlabelled": None},
        "compared": list(models),
        "models": models,
        "search": {"iterations": 2, "tree_depth": 3},
        "extraction": {"device": "cpu", "batch_size": 4, "workers": 1},
    }
    (folder / "conf/own").mkdir()
    (folder / "conf/own/parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (folder / "conf/own/globals.yml").write_text("study: own")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DO_NOT_TRACK", "true")
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")  # MLflow keeps one store a relative URI
        with pytest.raises(ClickException) as said:
            kedro_run(folder, env="own")
    (folder / "said.txt").write_text(str(said.value))
    return folder


def by_image(areas, model):
    """The rows of a model, by image."""
    return areas[areas["model"] == model].set_index("image").sort_index()


def test_every_head_and_input_gives_its_classes_and_masks_of_its_size(project):
    areas = table(project, "areas", "own")
    assert set(areas["model"]) == {"rect", "one_logit", "one_sigmoid", "labels", "bytes", "bgr"}
    for model in ("rect", "one_logit", "one_sigmoid", "labels", "bytes"):
        rows = by_image(areas, model)
        assert (rows["correct"] == (rows.index != WRONG)).all(), model
        assert (rows["kept"] == rows["target"]).all()
    assert (by_image(areas, "bgr")["correct"] == (by_image(areas, "bgr").index == WRONG)).all()  # it takes blue for red
    sizes = areas.groupby("model")[["height", "width"]].max().astype(int)
    assert tuple(sizes.loc["rect"]) == (12, 24) and tuple(sizes.loc["bgr"]) == (16, 20)
    one, other = by_image(areas, "one_logit"), by_image(areas, "one_sigmoid")
    assert (one["pixels"] == other["pixels"]).all()
    assert np.allclose(one["confidence"], other["confidence"], atol=1e-5)


def test_a_model_that_is_not_square_is_compared_and_shown(project):
    overlaps = table(project, "overlaps", "own")
    pairs = overlaps[(overlaps["model_a"] == "rect") | (overlaps["model_b"] == "rect")]
    assert (pairs["status"] == "ok").any() and pairs["dice"].dropna().between(0, 1).all()
    assert (project / "data/own/08_report/report.html").stat().st_size > 10_000
    assert (project / "data/own/08_report/explorer.html").is_file()


def test_a_model_that_fails_in_batches_is_noted_in_one_line_and_the_others_go_on(project):
    noted = (project / "said.txt").read_text().splitlines()[1:]
    assert len(noted) == 1
    assert "mps_extraction, broken: " in noted[0]
    assert "broken.onnx: ONNX Runtime fails while the model runs on 4 of 3 x 16 x 16" in noted[0]
    assert "onnxruntime::" not in noted[0]


def test_the_sets_of_the_images_own_labels_speak_for_them(project, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlflow.db")
    before = by_image(table(project, "areas", "own"), "rect")
    search = {"iterations": 2, "tree_depth": 3, "target": "label", "minimum_confidence_threshold": 1.0}
    kedro_run(project, env="own", search=search, compared=["rect", "one_logit"])
    rows = by_image(table(project, "areas", "own"), "rect")
    assert rows.loc[WRONG, "target"] == before.loc[WRONG, "target"] == 1
    assert (rows.loc[WRONG, "label"], rows.loc[WRONG, "kept"]) == (0, 0)
    assert not rows.loc[WRONG, "correct"] and (rows["kept"] == rows["label"]).all()
    assert rows.loc[WRONG, "target_confidence"] == pytest.approx(1 - before.loc[WRONG, "target_confidence"], abs=1e-4)
    assert (rows["confidence"] >= rows["target_confidence"] * (1 - 1e-4) - 1e-4).all()
    assert rows["fingerprint"].iloc[0] != before["fingerprint"].iloc[0]
    store = MpsRecords(str(project / "data/own/05_mps_records")).load()
    stored = store.read("rect", rows["fingerprint"].iloc[0], ["image", "top", "mask"]).set_index("image")
    assert stored.loc[WRONG, "top"] == 1
    assert unpack_mask(stored.loc[WRONG, "mask"], 12, 24).any()


def test_a_target_by_name_is_the_one_by_index_and_a_name_that_is_none_is_told(project, monkeypatch):
    manifest = table(project, "manifest", "own")
    card = SimpleNamespace(
        classes=2, names_itself=False, several_labels=False, fingerprint_facts={"digest": "x"}
    )  # names are the images'
    floor = {"minimum_confidence_threshold": 0.5}
    assert targets_of(card, SearchConfig(target="b", **floor), manifest) == 1
    assert targets_of(card, SearchConfig(target=1, **floor), manifest) == 1
    labels = targets_of(card, SearchConfig(target="label", **floor), manifest)
    assert labels == dict(zip(manifest["image"], manifest["label"].astype(int), strict=True))
    with pytest.raises(ValueError, match="class 'bb' is unknown; did you mean 'b'"):
        targets_of(card, SearchConfig(target="bb", **floor), manifest)
    with pytest.raises(ValueError, match=r"search.target is 2, but the model's classes are 0 to 1"):
        targets_of(card, SearchConfig(target=2, **floor), manifest)
    other = manifest.assign(label=1 - manifest["label"])
    marks = {fingerprint(card, SearchConfig(target="label", **floor), each).digest for each in (manifest, other)}
    assert len(marks) == 2
    assert fingerprint(card, SearchConfig(**floor), manifest) == fingerprint(card, SearchConfig(**floor), other)
