"""A study of several searches, run as a whole: whose records, runs and notes are whose."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from click import ClickException
from small_project import MODELS, kedro_run, table

OTHERS = {"minimal": {"strategy": "minimal", "granularity": 8}, "other_seed": {"seed": 5}}
OWN_FRAMES = ("areas", "overlaps", "more_sets", "model_summary", "statistics")
DOWNSTREAM = ["metrics", "statistics", "reporting"]


def own(frame: pd.DataFrame) -> pd.DataFrame:
    """What a frame says of the study's own search."""
    if "search" in frame:
        return frame[frame["search"] == "study"].reset_index(drop=True)
    if "group" in frame:
        return frame[~frame["group"].str.startswith("searches of")].reset_index(drop=True)
    return frame


@pytest.fixture(scope="module")
def alone(project, tmp_path_factory) -> Path:
    """A copy of the finished small study, for this module to change."""
    copy = tmp_path_factory.mktemp("searches") / "project"
    shutil.copytree(project, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")
def searched(alone) -> tuple[Path, dict[str, pd.DataFrame]]:
    """The same study once it has three searches, and its frames from before."""
    patch = pytest.MonkeyPatch()
    patch.chdir(alone)
    patch.setenv(
        "MLFLOW_TRACKING_URI", f"sqlite:///{alone}/mlflow.db"
    )  # MLflow keeps open what it knows by a relative path
    before = {name: table(alone, name) for name in OWN_FRAMES}
    stamps = {p: p.stat().st_mtime_ns for p in (alone / "data/miniature/05_mps_records").rglob("*.parquet")}
    kedro_run(alone, pipelines=["mps_extraction", *DOWNSTREAM], searches=OTHERS)
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}, "the study's own records were searched again"
    yield alone, before
    patch.undo()


def test_nothing_of_the_studys_own_search_changes(searched):
    project, before = searched
    for name in OWN_FRAMES:
        pd.testing.assert_frame_equal(own(table(project, name)), before[name], check_exact=True)


def test_every_frame_has_every_model_by_every_search(searched):
    project, _ = searched
    areas = table(project, "areas")
    assert areas.groupby(["search", "model"], sort=False).size().to_dict() == {
        (search, model): 12 for search in ("study", *OTHERS) for model in MODELS
    }
    assert set(table(project, "more_sets")["search"]) == {"study", *OTHERS}
    assert set(table(project, "overlaps")["search"]) == {"study"}
    assert len(table(project, "search_summary")) == 3 * len(MODELS)
    assert len(table(project, "search_overlaps")) == 12 * len(MODELS) * 3
    groups = table(project, "statistics").query("test == 'friedman'")["group"]
    assert {f"searches of {model}" for model in MODELS} <= set(groups)


def test_the_report_has_their_section_and_the_explorer_their_sets(searched):
    project, _ = searched
    folder = project / "data/miniature/08_report"
    assert "Searches compared" in (folder / "report.html").read_text()
    assert (folder / "tables/search_differences.csv").is_file() and (folder / "figures/searches.png").is_file()
    assert '"searches":["study","minimal","other_seed"]' in (folder / "explorer.html").read_text()


def test_each_model_and_search_has_an_mlflow_run_of_its_name(searched):
    from mlflow import MlflowClient

    project, _ = searched
    client = MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("miniature").experiment_id
    marks = table(project, "areas").drop_duplicates(["model", "search"]).set_index(["model", "search"])["fingerprint"]
    summary = table(project, "search_summary").set_index(["model", "search"])
    for (model, search), mark in marks.items():
        (run,) = client.search_runs([experiment], f"tags.model = '{model}' and tags.fingerprint = '{mark}'")
        assert run.info.run_name == (model if search == "study" else f"{model}, {search}")
        assert (run.data.tags["search"], run.info.status) == (search, "FINISHED")
        assert run.data.metrics["area"] == pytest.approx(summary.loc[(model, search), "area"])
        assert run.data.params["search.seed"] == ("5" if search == "other_seed" else "0")
        assert ("search.iterations" in run.data.params) == (search != "minimal")


def test_one_search_can_be_run_alone_and_what_it_lacks_is_left_out(searched, caplog):
    project, _ = searched
    store = project / "data/miniature/05_mps_records" / MODELS[0]
    kept = {path.name for path in store.iterdir()}
    searches = OTHERS | {"third": {"seed": 9}}
    kedro_run(project, pipelines=["mps_extraction"], searches=searches, only_search="third", model=MODELS[0])
    assert len({path.name for path in store.iterdir()} - kept) == 1
    kedro_run(project, pipelines=["metrics"], searches=searches)
    areas = table(project, "areas")
    assert set(areas.loc[areas["search"] == "third", "model"]) == {MODELS[0]}
    told = f"model={MODELS[1]},only_search=third`"
    assert sum(told in record.message for record in caplog.records) == 1


def test_searches_of_equal_parameters_share_their_records(searched):
    project, _ = searched
    store = project / "data/miniature/05_mps_records"
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    kedro_run(project, pipelines=["mps_extraction", "metrics"], searches={"same": {}})
    assert before == {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    assert table(project, "search_overlaps")["dice"].dropna().eq(1).all()


def test_a_search_that_another_process_works_on_is_left_to_it_and_told_by_its_name(searched):
    from mps_study.datasets.claims import Claims

    project, _ = searched
    searches = {"fresh": {"seed": 77}}
    held = Claims(project / "data/miniature/claims").claim(f"mps_extraction/{MODELS[0]}, fresh")
    told = pytest.raises(ClickException, match=f"mps_extraction, {MODELS[0]}, fresh: .* is held by process")
    with held, told:
        kedro_run(project, pipelines=["mps_extraction"], searches=searches)
    assert not list((project / "data/miniature/failures/mps_extraction").glob("*.json"))
    kedro_run(project, pipelines=["mps_extraction"], searches=searches)
    assert not list((project / "data/miniature/failures/mps_extraction").glob("*.json"))


def test_a_search_that_is_taken_out_of_conf_leaves_the_report(searched):
    project, before = searched
    kedro_run(project, pipelines=DOWNSTREAM)
    folder = project / "data/miniature/08_report"
    assert "Searches compared" not in (folder / "report.html").read_text()
    assert not (folder / "tables/searches.csv").exists() and not (folder / "figures/searches.png").exists()
    for name in OWN_FRAMES:
        pd.testing.assert_frame_equal(table(project, name), before[name], check_exact=True)
