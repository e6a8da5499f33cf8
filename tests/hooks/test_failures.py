"""A model that fails does not stop the others; the report lists it, and the run ends with an error."""

import shutil

import pandas as pd
import pytest
from click import ClickException
from small_project import MODELS, kedro_run, table

from mps_study.datasets.claims import ClaimedError, Claims
from mps_study.datasets.failures import FailureNotes, Held
from mps_study.datasets.records.store import MpsRecords
from mps_study.models.roster.roster import Roster
from mps_study.models.training.recipe import Recipe
from mps_study.pipelines.failing import noted
from mps_study.pipelines.fine_tuning.nodes import fine_tune_models
from mps_study.pipelines.model_export.nodes import export_models
from mps_study.pipelines.mps_extraction.nodes import extract_records
from mps_study.project.parameters import Extraction, ModelExport

BROKEN = MODELS[1]
RECIPE = Recipe(1, 1, 2, 1e-3, 1e-3, 0.0, 0.0, 0.0, 0.5, 1, 0)


@pytest.fixture
def broken(project, tmp_path, monkeypatch):
    """A copy of the finished study in which one model file is cut short and the records are gone."""
    copy = tmp_path / "project"
    shutil.copytree(project, copy, symlinks=True)
    monkeypatch.chdir(copy)
    shutil.rmtree(copy / "data/miniature/05_mps_records")
    model = copy / f"data/miniature/04_models/{BROKEN}.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    return copy


def failures(project):
    """What stands as failed."""
    return FailureNotes(str(project / "data/miniature/failures")).load()


def test_the_study_goes_on_without_a_broken_model_says_so_and_recovers(broken):
    stages = ["mps_extraction", "metrics", "statistics", "reporting"]
    with pytest.raises(ClickException, match=rf"{BROKEN}: .*{BROKEN}\.onnx is not the model that its card describes"):
        kedro_run(broken, pipelines=stages)
    assert set(table(broken, "areas")["model"]) == set(MODELS) - {BROKEN}
    assert list(failures(broken)) == [("mps_extraction", BROKEN)]
    report = (broken / "data/miniature/08_report/report.html").read_text()
    assert f"{BROKEN}, mps_extraction" in report and "is not the model that its card describes" in report

    (broken / f"data/miniature/04_models/{BROKEN}.json").unlink()
    kedro_run(broken, pipelines=["model_export", *stages])
    assert set(table(broken, "areas")["model"]) == set(MODELS)
    assert failures(broken) == {}


def test_a_model_whose_export_fails_is_not_searched_with_its_old_file(broken):
    wrong = {BROKEN: {"arguments": {"nonsense": 1}}}
    with pytest.raises(ClickException, match=f"fine_tuning, {BROKEN}.*\n.*model_export, {BROKEN}: fine_tuning failed"):
        kedro_run(broken, models=wrong)
    assert set(table(broken, "areas")["model"]) == set(MODELS) - {BROKEN}


def test_images_that_fail_beyond_the_share_end_the_run_with_an_error_once_all_is_done(broken):
    model = MODELS[0]
    manifest = table(broken, "manifest")
    file = manifest["file"].iloc[3]
    next((broken / "data/miniature/01_images").rglob(file)).write_bytes(b"no longer an image")
    with pytest.raises(ClickException, match=f"{model}: 1 of 12 images failed.*first is {manifest['image'].iloc[3]}"):
        kedro_run(broken, pipelines=["mps_extraction", "metrics"], model=model)
    assert table(broken, "areas")["status"].eq("failed").sum() == 1
    store = MpsRecords(str(broken / "data/miniature/05_mps_records")).load()
    assert len(store.images(model, table(broken, "areas")["fingerprint"].iloc[0])) == 12
    kedro_run(broken, pipelines=["mps_extraction"], model=model, extraction={"max_failed_share": 0.1})


def test_a_run_in_which_every_model_fails_stops_there(broken):
    with pytest.raises(ClickException, match=f"mps_extraction failed for every model:\n  {BROKEN}: "):
        kedro_run(broken, pipelines=["mps_extraction", "metrics"], model=BROKEN)


def test_a_second_run_of_a_stage_is_told_who_holds_it(broken):
    told = pytest.raises(ClickException, match="this study is being worked on: metrics is held by process")
    with Claims(broken / "data/miniature/claims").claim("metrics"), told:
        kedro_run(broken, pipelines=["mps_extraction", "metrics"], model=MODELS[0])


def test_a_model_that_another_process_searches_is_left_to_it(broken):
    told = pytest.raises(ClickException, match=f"mps_extraction, {MODELS[0]}: .* is held by process")
    with Claims(broken / "data/miniature/claims").claim(f"mps_extraction/{MODELS[0]}"), told:
        kedro_run(broken, pipelines=["mps_extraction"])
    assert list(failures(broken)) == [("mps_extraction", BROKEN)]  # nothing has failed for the other
    store = broken / "data/miniature/05_mps_records"
    assert sorted(path.name for path in store.iterdir()) == sorted(set(MODELS) - {MODELS[0], BROKEN})
    kedro_run(broken, pipelines=["mps_extraction"], model=MODELS[0])


def test_a_model_that_another_process_trains_is_not_searched_with_what_lies_there(broken):
    told = pytest.raises(ClickException, match=f"fine_tuning/{MODELS[0]} is held by process")
    with Claims(broken / "data/miniature/claims").claim(f"fine_tuning/{MODELS[0]}"), told:
        kedro_run(broken, pipelines=["mps_extraction"], model=MODELS[0])
    assert failures(broken) == {}
    assert not (broken / "data/miniature/05_mps_records").exists()


def test_what_is_held_is_told_and_not_noted(tmp_path):
    notes = FailureNotes(str(tmp_path))
    notes.save({("mps_extraction", "m"): "broken"})
    held = noted("mps_extraction", "m", ClaimedError("m is held by process 5"))
    notes.save({("mps_extraction", "m"): held, ("model_export", "n"): held})
    assert held == "m is held by process 5"
    assert notes.load() == {("mps_extraction", "m"): "broken"}


def fails(stage, claims):
    """The steps of a stage whose only model fails."""
    entry = {"architecture": "A", "timm": "resnet18", "weights": "fine_tuned"}
    roster = Roster.model_validate({"m": entry})
    if stage == "fine_tuning":
        images = pd.DataFrame({name: ["0"] for name in ("image", "file", "sha256", "label")})
        return fine_tune_models(roster, ["m"], None, {}, images, RECIPE, None, {}, None, claims)
    before = {("fine_tuning", "m"): "no memory"}
    if stage == "model_export":
        empty = pd.DataFrame({"file": [], "image": []})
        return export_models(roster, ["m"], None, {}, empty, {}, ModelExport(), {}, claims, before)
    return extract_records(
        roster, ["m"], None, {}, {}, {}, None, {}, {}, None, None, Extraction(), None, None, claims, before
    )


@pytest.mark.parametrize("stage", ["fine_tuning", "model_export", "mps_extraction"])
def test_a_failure_is_noted_while_the_model_is_still_claimed(stage, tmp_path):
    """A note that is written later might stand beside the success of another process."""
    steps, holder = fails(stage, Claims(tmp_path)), tmp_path / stage / "m.holder.json"
    failed = next(notes for *_, notes in steps if any(notes.values()))
    assert list(failed) == [(stage, "m")] and not isinstance(failed[stage, "m"], Held)
    assert holder.exists()
    with pytest.raises(ClickException, match=f"{stage} failed for every model:\n  m: "):
        assert not any(any(notes.values()) for *_, notes in steps)  # nothing of it is noted once more
    assert not holder.exists()


@pytest.mark.parametrize("stage", ["fine_tuning", "model_export", "mps_extraction"])
def test_what_another_process_is_at_is_told_when_the_run_ends(stage, tmp_path):
    claims = Claims(tmp_path)
    told = []
    with claims.claim(f"{stage}/m"), pytest.raises(ClickException, match=f"m: {stage}/m is held by process"):
        told += (dict(notes) for *_, notes in fails(stage, claims))
    (reason,) = (reason for notes in told for reason in notes.values() if reason)
    assert isinstance(reason, Held)


def test_a_study_does_not_depend_on_mlflow(broken, monkeypatch, caplog):
    (broken / "no_folder").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{broken}/no_folder/mlflow.db")
    kedro_run(broken, pipelines=["mps_extraction", "metrics"], model=MODELS[0])
    assert "the run goes on, but what it finds from here on is not tracked" in caplog.text
    assert set(table(broken, "areas")["model"]) == {MODELS[0]}
