"""A study of images of five channels, from the folder to the report; one among them has other channels."""

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from small_project import kedro_run, make_project, table


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A model of five channels tells the fourth (class 1) from the fifth (class 2)."""
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")  # MLflow keeps one store a relative URI
    random = np.random.default_rng(0)
    for name in ("1/a.npy", "1/b.npy", "2/a.npy", "2/b.tif", "2/stranger.png"):
        pixels = random.integers(55, 65, (24, 30, 5), dtype=np.uint8)
        pixels[4:14, 4:20, 2 + int(name[0])] = 230
        path = folder / "bands" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, pixels)
        else:
            pages = [Image.fromarray(np.ascontiguousarray(page)) for page in np.moveaxis(pixels, 2, 0)]
            more = {"save_all": True, "append_images": pages[1:]} if path.suffix == ".tif" else {}
            pages[0].save(path, **more)
    weights = np.full((5, 3), -7.5, np.float32)
    weights[:, 0], weights[3, 1], weights[4, 2] = 0, 30, 30
    nodes = [
        helper.make_node("ReduceMean", ["image", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bands",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", 5, 16, 16))],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ("batch", 3))],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array([2, 3]), "axes")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), folder / "five.onnx")
    plain = {"mean": [0.0] * 5, "std": [1.0] * 5, "crop_pct": 1.0, "crop_mode": "squash"}
    parameters = {
        "data_sampling": {"labelled": {"source": {"kind": "folder", "path": "bands"}, "n": 5}, "unlabelled": None},
        "compared": ["five"],
        "models": {"five": {"architecture": "A", "onnx": "five.onnx", "classes": 3, "preprocessing": plain}},
        "search": {"iterations": 1, "tree_depth": 3},
        "extraction": {"device": "cpu", "batch_size": 4, "workers": 1, "max_failed_share": 0.5},
    }
    (folder / "conf/own").mkdir()
    (folder / "conf/own/parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (folder / "conf/own/globals.yml").write_text("study: own")
    return folder


def test_five_channels_go_from_the_folder_to_the_report_and_a_stranger_is_noted(project):
    kedro_run(project, env="own")
    areas = table(project, "areas", "own").set_index("image")
    assert areas.loc["2/stranger.png", "status"] == "failed"
    assert "it has 3 channels, but the model takes 5" in areas.loc["2/stranger.png", "reason"]
    rest = areas.drop("2/stranger.png")
    assert (rest["status"] == "found").all() and rest["correct"].all() and (rest["target"] == rest["label"]).all()
    report = project / "data/own/08_report"
    assert (report / "report.html").is_file() and len(list((report / "explorer/images").glob("*.js"))) == 5
    kedro_run(project, env="own", pipelines=["verification"])
    asked = table(project, "verification", "own")
    assert asked.loc[~asked["holds"], "image"].tolist() == ["2/stranger.png"]
    assert set(asked["image"]) == set(areas.index)
