"""`kedro run` as typed: from any folder, by any of Kedro's runners, and without a warning of another package."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click import ClickException
from kedro.runner import SequentialRunner, ThreadRunner
from PIL import Image
from small_project import MODELS, kedro_run, table

from models.onnx_models import node, write_model
from mps_study.hooks.session import in_full, served
from mps_study.hooks.tracking_place import where_to_compare

KEDRO = Path(sys.executable).with_name("kedro")
FRAMES = ("manifest", "training_manifest", "areas", "overlaps", "more_sets", "model_summary", "statistics")
RECORDS = "data/miniature/05_mps_records"


@pytest.fixture
def copy(project, tmp_path):
    """A copy of the finished study, with an empty folder of notebooks, and no MLflow database."""
    folder = tmp_path / "project"
    shutil.copytree(project, folder, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db", "mlruns", ".viz"))
    (folder / "notebooks").mkdir()
    return folder


def kedro(folder, *arguments, **environment):
    """`kedro ...` in a folder of the miniature study; what it printed."""
    keep = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [KEDRO, *arguments, "--env", "miniature"],
        cwd=folder,
        env=keep | environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def own_model(project):
    """A roster of one ONNX file and a baseline image, both by relative paths; the command that searches it."""
    write_model(
        project / "ten.onnx",
        tail=[node("Concat", ["raw", "raw"], ["logits"], axis=1)],
        outputs=[("logits", ("batch", 10))],
    )
    noise = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(project / "noise.png")
    file = project / "conf/miniature/parameters_models.yml"
    conf = yaml.safe_load(file.read_text())
    conf["models"] = {"own": {"architecture": "A", "onnx": "ten.onnx", "classes": 10}}
    file.write_text(yaml.safe_dump(conf))
    parameters = project / "conf/miniature/parameters.yml"
    conf = yaml.safe_load(parameters.read_text())
    conf["search"]["baseline"] = {"kind": "image", "path": "noise.png"}
    parameters.write_text(yaml.safe_dump(conf))
    return "run", "--pipelines", "model_export,mps_extraction"


def test_a_run_from_a_folder_of_the_project_is_that_of_the_project_and_a_moved_project_keeps_its_records(copy):
    command = own_model(copy)
    code, said = kedro(copy / "notebooks", *command)
    assert code == 0, said
    assert not list((copy / "notebooks").iterdir())
    assert (copy / "mlflow.db").is_file()
    (fingerprint,) = (copy / RECORDS / "own").iterdir()
    card = (copy / "data/miniature/04_models/own.json").read_text()
    shards = {path.name: path.stat().st_mtime_ns for path in fingerprint.iterdir()}

    moved = copy.rename(copy.with_name("elsewhere"))
    code, said = kedro(moved, *command)
    assert code == 0, said
    assert "own: all 12 records are there" in said
    (fingerprint,) = (moved / RECORDS / "own").iterdir()
    assert shards == {path.name: path.stat().st_mtime_ns for path in fingerprint.iterdir()}
    assert card == (moved / "data/miniature/04_models/own.json").read_text()


def test_explain_from_a_folder_of_the_project_finds_the_rosters_file(copy, monkeypatch):
    from mps_study.project.study_models import study_of

    own_model(copy)
    monkeypatch.chdir(copy / "notebooks")
    card, path = study_of("own", "miniature").exported("own")
    assert card.weights and path == copy / "data/miniature/04_models/own.onnx"
    assert Path.cwd() == copy / "notebooks"


def test_the_last_line_opens_the_database_that_was_written(copy):
    code, said = kedro(copy / "notebooks", "run", "--pipelines", "metrics", "--params", f"model={MODELS[0]}")
    assert code == 0, said
    (command,) = re.findall("MLflow: `(mlflow ui .*)`, then http://127.0.0.1:5000/#/experiments/1/", said)
    assert shlex.split(command) == ["mlflow", "ui", "--backend-store-uri", f"sqlite:///{copy}/mlflow.db"]
    assert (copy / "mlflow.db").is_file()


def test_another_database_or_server_of_the_users_is_named_as_it_is():
    page = "/#/experiments/7/runs?workflowType=machine_learning&compareRunsMode=CHART"
    assert where_to_compare("http://server:5000/", Path("/p"), "7") == f"http://server:5000{page}"


@pytest.mark.parametrize(
    ("uri", "from_anywhere"),
    [
        ("sqlite:///other.db", "sqlite:////my project/other.db"),
        ("sqlite:////elsewhere/other.db", "sqlite:////elsewhere/other.db"),
        ("file:///my/runs", "file:///my/runs"),
        ("mlruns", "/my project/mlruns"),
        ("postgresql://user@host/runs", "postgresql://user@host/runs"),
    ],
)
def test_a_command_opens_the_same_runs_from_any_folder(uri, from_anywhere):
    told = where_to_compare(uri, Path("/my project"), "7")
    command, page = told[1:].split("`, then ")
    assert shlex.split(command) == ["mlflow", "ui", "--backend-store-uri", from_anywhere]
    assert page.startswith("http://127.0.0.1:5000/#/experiments/7/runs?")


@pytest.mark.parametrize(
    ("lost", "how"),
    [
        ("data", ["--runner", "ThreadRunner"]),
        (RECORDS, ["--async", "--pipelines", "mps_extraction,metrics,statistics,reporting"]),
    ],
    ids=["threads", "async"],
)
def test_a_study_by_another_runner_is_equal_to_the_bit_and_prints_no_warning(project, copy, lost, how):
    shutil.rmtree(copy / lost)
    code, said = kedro(copy, "run", *how)
    assert code == 0, said
    assert "warn" not in said.lower()
    for name in FRAMES:
        pd.testing.assert_frame_equal(table(project, name), table(copy, name), check_exact=True)
    for picture in (project / "data/miniature/08_report").rglob("*.png"):
        assert picture.read_bytes() == (copy / picture.relative_to(project)).read_bytes(), picture.name
    assert not list((copy / "data/miniature/claims").rglob("*.holder.json"))


def test_threads_begin_each_models_mlflow_run_once(copy):
    from mlflow import MlflowClient

    code, said = kedro(copy, "run", "--runner", "ThreadRunner", "--pipelines", "metrics,statistics,reporting")
    assert code == 0, said
    client = MlflowClient(tracking_uri=f"sqlite:///{copy}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("miniature").experiment_id])
    assert sorted(run.info.run_name for run in runs) == sorted(MODELS)


def test_a_runner_of_processes_is_refused_in_one_line_before_any_work(copy):
    shutil.rmtree(copy / "data")
    code, said = kedro(copy, "run", "--runner", "ParallelRunner")
    assert code == 1 and not (copy / "data").exists()
    assert [line.partition(":")[0] for line in said.splitlines()] == ["Error"]
    assert "ParallelRunner cannot run a study" in said and "ThreadRunner" in said


def test_runners_that_can_serve_are_left_as_they_are():
    assert served(None) is None
    for runner in (SequentialRunner(), ThreadRunner()):
        assert served(runner) is runner


@pytest.mark.parametrize("option", ["--pipeline", "--pipelines"])
def test_a_run_prints_no_warning(copy, option):
    code, said = kedro(copy, "run", option, "statistics")
    assert code == 0, said
    assert "compute_statistics" in said and "warn" not in said.lower()


def test_nodes_go_by_their_name_with_or_without_their_pipeline(copy):
    code, said = kedro(copy, "run", "--from-nodes", "compute_overlaps", "--to-nodes", "metrics.compute_overlaps")
    assert code == 0, said
    assert "compute_overlaps" in said and "compute_areas" not in said
    with pytest.raises(ClickException, match=r"node .compute_arias. is unknown; did you mean .compute_areas"):
        in_full(["compute_arias"])


def test_a_node_may_have_tags_of_the_users(project, monkeypatch):
    from kedro.framework import project as kedro_project

    tagged = kedro_project.pipelines["metrics"].tag("mine")
    monkeypatch.setitem(kedro_project.pipelines._content, "metrics", tagged)
    kedro_run(project, pipelines=["metrics"])
