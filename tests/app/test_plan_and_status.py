"""`mps-study plan` and `status` on a small study: before its run, behind it, and while another process works on it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from onnx_models import write_model
from small_project import kedro_run
from tiny_project import make_tiny_project

from mps_study.app import planning
from mps_study.app.command_line import cli
from mps_study.app.study_units import study_now
from mps_study.compute.parts import Part
from mps_study.datasets.claims import Claims

PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "crop_pct": 1.0}
HOLD = """
import sys, time
from mps_study.datasets.claims import Claims
from pathlib import Path
with Claims(Path(sys.argv[1])).claim(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


def ask(*arguments):
    """`mps-study ...`, which succeeds."""
    result = CliRunner().invoke(cli, [*map(str, arguments), "--env", "tiny"])
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(command, *arguments):
    """The same as JSON."""
    return json.loads(ask(command, *arguments, "--json", *(["-"] if command == "plan" else [])))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A project whose study has not begun."""
    return make_tiny_project(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A project whose model `one` has its five records in three shards."""
    folder = make_tiny_project(tmp_path_factory.mktemp("searched") / "project")
    parameters = yaml.safe_load((folder / "conf/tiny/parameters.yml").read_text())
    for name in ("one", "two"):  # ONNX files of our own: torch need not be loaded
        write_model(folder / f"{name}.onnx")
        parameters["models"][name] = {"architecture": "A", "onnx": f"{name}.onnx", "classes": 5, "preprocessing": PLAIN}
    (folder / "conf/tiny/parameters.yml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    try:
        kedro_run(folder, "tiny", ["mps_extraction"], extraction={"shard_size": 2})
    finally:
        patch.undo()
    return folder


@pytest.fixture
def begun(searched, monkeypatch):
    """That project without its last shard and its seal, which come back."""
    monkeypatch.chdir(searched)
    (records,) = (searched / "data/tiny/05_mps_records/one").iterdir()
    lost = [sorted(records.glob("*.parquet"))[-1], records / "complete.json"]
    kept = {file: file.read_bytes() for file in lost}
    for file in lost:
        file.unlink()
    yield records
    for file, content in kept.items():
        file.write_bytes(content)


@pytest.fixture
def held(searched):
    """Starts processes that hold a claim of the project."""
    started = []

    def hold(name):
        command = [sys.executable, "-c", HOLD, str(searched / "data/tiny/claims"), name]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield hold
    for process in started:
        process.kill()
        process.wait()
    for left in (searched / "data/tiny/claims").rglob("*.holder.json"):
        left.unlink()


def test_before_any_work_nothing_is_guessed_and_nothing_is_made(fresh, monkeypatch):
    monkeypatch.chdir(fresh)
    before = sorted(fresh.rglob("*"))
    made = as_json("plan", "--workers", "4")
    (unit,) = made["units"]
    assert (unit["model"], unit["search"], unit["images"], unit["done"], unit["left"]) == ("one", "study", 5, 0, 5)
    for figure in ("evaluations", "rate", "hours", "model_bytes", "memory_bytes"):
        assert (unit[figure]["value"], unit[figure]["origin"]) == (None, "unknown")
        assert unit[figure]["note"]
    assert unit["record_bytes"]["value"] == 16 * 16 / 8 + 4096  # the roster says the input's size
    assert made["makespans"] == [] and made["total"]["unknown"] == ["one"] and made["sample"] == "to be drawn"
    said = ask("plan")
    assert "unknown: one: not exported; `kedro run --env tiny --pipelines model_export`, then plan with --meas" in said
    (unit,) = as_json("status")["units"]
    assert (unit["state"], unit["done"], unit["images"]) == ("not exported", 0, 5)
    assert sorted(fresh.rglob("*")) == before


def test_images_are_taken_from_the_parameters_while_there_is_no_such_sample(searched, monkeypatch):
    monkeypatch.chdir(searched)
    made = as_json("plan", "--params", "data_sampling.labelled.n=4")
    assert made["sample"] == "to be drawn"
    (unit,) = made["units"]
    assert (unit["images"], unit["left"]) == (6, 6)
    assert unit["evaluations"]["origin"] == "records"  # of the other sample
    assert unit["evaluations"]["note"] == "this model and search: 5 images"


def test_records_are_subtracted_and_tell_what_the_rest_will_cost(begun):
    records = pd.concat(pd.read_parquet(file) for file in begun.glob("*.parquet"))
    (unit,) = as_json("plan")["units"]
    assert (unit["images"], unit["done"], unit["left"]) == (5, 4, 1)
    assert unit["evaluations"]["value"] == records["evaluations"].mean() > 0
    assert unit["model_bytes"]["value"] == sum(f.stat().st_size for f in Path("data/tiny/04_models").glob("one.onnx*"))
    assert unit["rate"]["value"] is None  # the tiny study says its batch size, so nothing was measured
    assert "not timed on this machine" in ask("plan")
    (other,) = as_json("plan", "--params", "model=two")["units"]
    assert other["evaluations"]["note"] == "this search of other models: 4 images"


def test_a_measurement_fills_the_plan_and_is_not_kept(begun):
    cards = Path("data/tiny/04_models/one.json").read_bytes()
    made = as_json("plan", "--measure", "--workers", "3", "--workers", "1")
    (unit,) = made["units"]
    assert unit["rate"]["origin"] == "measured" and unit["rate"]["note"].startswith("measured now: ")
    assert unit["hours"]["value"] == pytest.approx(unit["evaluations"]["value"] / unit["rate"]["value"] / 3600)
    assert unit["hours"]["origin"] == "records x measured"
    assert [each["workers"] for each in made["makespans"]] == [1, 3]
    one_image = pytest.approx(unit["hours"]["value"])
    assert [each["hours"] for each in made["makespans"]] == [one_image, one_image]
    assert made["total"]["unknown"] == []
    assert Path("data/tiny/04_models/one.json").read_bytes() == cards


def test_of_a_part_only_its_images_are_planned(begun, fresh, monkeypatch):
    images = list(study_now("tiny").manifest["image"])
    done = {image for file in begun.glob("*.parquet") for image in pd.read_parquet(file)["image"]}
    for part in (Part(1, 2), Part(2, 2)):
        (unit,) = planning.plan(replace(study_now("tiny"), part=part)).units
        mine = images[part.number - 1 :: part.of]
        assert (unit.images, unit.done) == (len(mine), len(done & set(mine)))
    monkeypatch.chdir(fresh)
    (unit,) = planning.plan(replace(study_now("tiny"), part=Part(2, 2))).units
    assert (unit.images, unit.done) == (2, 0)


def test_the_plan_is_written_beside_the_table(begun, tmp_path):
    said = ask("plan", "--json", tmp_path / "plan.json")
    assert said.splitlines()[0].split()[:2] == ["model", "search"]
    assert json.loads((tmp_path / "plan.json").read_text()) == as_json("plan")


def test_a_study_that_is_done_is_planned_as_nothing(searched, monkeypatch):
    monkeypatch.chdir(searched)
    made = as_json("plan", "--workers", "2")
    assert (made["total"]["left"], made["total"]["hours"]["value"], made["makespans"]) == (0, 0, [])
    found = as_json("status")
    assert found["units"][0]["state"] == "done" and found["total"]["states"] == {"done": 1}
    assert ask("status", "--watch").count("total") == 1  # nothing to wait for


def test_running_killed_and_gone_on(begun, held):
    assert as_json("status")["units"][0]["state"] == "begun"
    process = held("mps_extraction/one")
    (unit,) = as_json("status")["units"]
    assert (unit["state"], unit["done"], unit["rate"]) == ("running", 4, None)
    assert unit["holders"][0]["process"] == process.pid
    assert f"process {process.pid} on " in ask("status")
    os.utime(next(begun.glob("*.parquet")), (unit["holders"][0]["claimed"] + 10,) * 2)  # written since
    (unit,) = as_json("status")["units"]
    assert unit["seconds_left"] == pytest.approx(10 / 2) and unit["rate"] > 0
    process.send_signal(signal.SIGKILL)
    process.wait()
    (unit,) = as_json("status")["units"]
    assert (unit["state"], unit["rate"], unit["holders"][0]["alive"]) == ("killed", None, False)
    assert "which is gone: killed; the next run goes on" in ask("status")
    again = held("mps_extraction/one")  # its holder takes the place of the killed one's
    (unit,) = as_json("status")["units"]
    assert (unit["state"], [each["process"] for each in unit["holders"]]) == ("running", [again.pid])


def test_parts_of_a_model_and_other_stages_are_shown(begun, held):
    first, second = held("mps_extraction/one, study, 1 of 2"), held("mps_extraction/one, study, 2 of 2")
    held("metrics")
    found = as_json("status")
    assert {each["process"] for each in found["units"][0]["holders"]} == {first.pid, second.pid}
    assert [each["name"] for each in found["others"]] == ["metrics"]
    assert "metrics: process" in ask("status")


def test_what_is_held_on_another_machine_is_said_to_be_unknown(begun, held):
    held("mps_extraction/one")
    file = Path("data/tiny/claims/mps_extraction/one.holder.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"host": "node7"}))
    assert as_json("status")["units"][0]["state"] == "held"
    assert "on node7 since" in ask("status") and "whether it lives cannot be checked from here" in ask("status")


def test_half_written_files_are_not_seen(begun):
    (begun / "0000004.parquet1f.partial").write_bytes(b"PAR1 half")
    try:
        assert as_json("status")["units"][0]["done"] == 4
        assert as_json("plan")["units"][0]["left"] == 1
    finally:
        (begun / "0000004.parquet1f.partial").unlink()


def test_looking_does_not_keep_a_run_from_its_claim(begun):
    with Claims(Path("data/tiny/claims")).claim("mps_extraction/one"):
        assert as_json("status")["units"][0]["state"] == "running"
    assert as_json("status")["units"][0]["state"] == "begun"


def test_a_failure_is_shown_with_its_reason(begun):
    note = Path("data/tiny/failures/mps_extraction/one.json")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"reason": "the disk is full", "when": "now"}))
    try:
        (unit,) = as_json("status")["units"]
        assert (unit["state"], unit["reason"]) == ("failed", "the disk is full")
        assert "the disk is full" in ask("status")
    finally:
        note.unlink()


def test_no_torch_is_loaded(begun):
    code = "import sys; from mps_study.app.command_line import cli\ntry: cli(sys.argv[1:])\nexcept SystemExit: pass\n"
    code += "loaded = {'torch', 'timm', 'mlflow', 'distributed'} & set(sys.modules); assert not loaded, loaded"
    for command in ("plan", "status"):
        subprocess.run([sys.executable, "-c", code, command, "--env", "tiny"], check=True, capture_output=True)


@pytest.mark.parametrize("command", ["plan", "status"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "tinny"], "environment 'tinny' is unknown; did you mean 'tiny'?"),
        (["--env", "tiny", "--params", "model=onne"], "model 'onne' is unknown; did you mean 'one'?"),
        (["--env", "tiny", "--params", "search.seed=-1"], "search.seed is -1; use a whole number"),
        (["--env", "tiny", "--params", "serach.seed=1"], "parameter 'serach' is unknown; did you mean 'search'?"),
        (["--env", "tiny", "--params", "only_search=minimal"], "search 'minimal' is unknown"),
    ],
)
def test_bad_input_gets_one_clear_line(fresh, monkeypatch, command, arguments, message):
    monkeypatch.chdir(fresh)
    result = CliRunner().invoke(cli, [command, *arguments])
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_device_that_is_not_here_makes_the_speed_unknown(searched, monkeypatch):
    monkeypatch.chdir(searched)
    monkeypatch.setattr("mps_study.models.inference.devices.has_nvidia_device", lambda: False)
    monkeypatch.setattr("mps_study.models.inference.devices.cuda_fault", lambda: "there is no NVIDIA device")
    (unit,) = as_json("plan", "--params", "extraction.device=cuda", "--measure")["units"]
    assert unit["rate"]["value"] is None and "there is no NVIDIA device" in unit["rate"]["note"]
