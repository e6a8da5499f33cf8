"""`kedro run --pipelines verification`: a study asks its models again, from the store alone."""

import json

import pandas as pd
import pytest
from small_project import kedro_run, table
from tiny_project import make_tiny_project

CERTIFIED = {"strategy": "minimal", "granularity": 2, "floors": [0.9], "several": 2, "baseline": "noise"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A study whose search is minimal, with noise where nothing is kept."""
    folder = make_tiny_project(tmp_path_factory.mktemp("tiny") / "project")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    kedro_run(folder, env="tiny", pipelines=["mps_extraction"], search=CERTIFIED)
    yield folder
    patch.undo()


def verified(project):
    kedro_run(project, env="tiny", pipelines=["verification"], search=CERTIFIED)
    return table(project, "verification", study="tiny")


def test_every_set_and_certificate_holds_and_a_line_says_so(project, caplog):
    caplog.set_level("INFO")
    frame = verified(project)
    assert list(frame) == ["image", "model", "search", "what", "holds", "reason"]
    assert frame["holds"].all() and set(frame["model"]) == {"one"}
    assert {"class", "set", "set, certificate"} <= set(frame["what"])
    assert f"verification of 1 models and searches: {len(frame)} of {len(frame)} questions" in caplog.text


def test_a_set_that_was_changed_in_the_store_is_found(project, caplog):
    shard = sorted((project / "data/tiny/05_mps_records").rglob("*.parquet"))[0]
    whole = pd.read_parquet(shard)
    spoiled, row = whole.copy(), 1
    spoiled.at[row, "certificate"] = json.dumps(json.loads(whole["certificate"][row]) | {"deletions": 99})
    spoiled.to_parquet(shard, index=False)
    try:
        wrong = verified(project).query("not holds")
    finally:
        whole.to_parquet(shard, index=False)
    assert set(wrong["image"]) == {whole["image"][row]}
    assert wrong["what"].tolist() == ["set, certificate"]
    assert wrong["reason"].str.contains("but 99 deletions were tested").all()
    assert f"first: one, {whole['image'][row]}, " in caplog.text


@pytest.mark.parametrize("suffix", [".onnx", ".onnx.data"])
def test_a_model_whose_bytes_are_others_than_its_card_says_is_not_asked(project, suffix):
    file = project / f"data/tiny/04_models/one{suffix}"
    bytes_of = file.read_bytes()
    file.write_bytes(bytes_of[:-1] + bytes([bytes_of[-1] ^ 1]))
    try:
        with pytest.raises(ValueError, match=r"one\.onnx is not the model that its card describes"):
            verified(project)
    finally:
        file.write_bytes(bytes_of)
