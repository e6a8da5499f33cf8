"""One whole study on CPU, and what must hold of every study."""

import base64
import json
import math
import shutil
import subprocess
import sys
import zlib

import pandas as pd
import pytest
from kedro.framework.project import pipelines
from small_project import MODELS, kedro_run, table

from mps_study.hooks.paths import paths
from mps_study.report.tables.all_tables import TABLES
from mps_study.report.tables.trust import MODELS_TABLES, TRUST_TABLES

FRAMES = ("manifest", "areas", "overlaps", "model_summary", "statistics")


def frames(project):
    """All frames of the study."""
    return {name: table(project, name) for name in FRAMES}


def assert_same(a, b):
    """Equal to the bit."""
    for name in FRAMES:
        pd.testing.assert_frame_equal(a[name], b[name], check_exact=True)


def test_the_study_ends_in_a_report_with_every_model(project):
    report = (project / "data/miniature/08_report/report.html").read_text()
    assert all(model in report for model in MODELS)
    assert "http://" not in report.replace("http://www.w3.org", "") and "https://" not in report
    assert (project / "data/miniature/08_report/figures/sizes.png").stat().st_size > 10_000
    for folder, suffix in (("tables", "csv"), ("tables_parquet", "parquet"), ("tables_latex", "tex")):
        names = {path.stem for path in (project / "data/miniature/08_report" / folder).glob(f"*.{suffix}")}
        assert names == set(TABLES | TRUST_TABLES | MODELS_TABLES)


def test_the_explorer_has_every_image_and_every_models_set(project):
    folder = project / "data/miniature/08_report"
    manifest, areas = table(project, "manifest"), table(project, "areas")
    page = (folder / "explorer.html").read_text()
    assert all(f'"{name}"' in page for name in (*MODELS, *manifest["image"]))
    for kind, suffix in (("images", "js"), ("thumbnails", "webp")):
        names = {path.name for path in (folder / "explorer" / kind).iterdir()}
        assert names == {f"{position:04d}.{suffix}" for position in range(len(manifest))}
    for position, image in enumerate(manifest["image"]):
        script = (folder / f"explorer/images/{position:04d}.js").read_text()
        facts = json.loads(script.partition(",")[2].rstrip().removesuffix(");"))
        content = zlib.decompress(base64.b64decode(facts["packed"]))
        kept = []
        for seen in facts["sightings"]:
            size = math.prod(seen["mask"]) // 8
            kept.append(int.from_bytes(content[:size]).bit_count())
            content = content[size * (1 + seen["further"]) :]
        assert kept == list(areas[areas["image"] == image].set_index("model").loc[list(MODELS), "pixels"])


def test_every_image_has_a_record_of_every_model_and_every_set_passed_alone(project):
    areas = table(project, "areas")
    assert areas.groupby("model", sort=False).size().to_dict() == dict.fromkeys(MODELS, 12)
    assert set(areas["status"]) <= {"found", "baseline"}
    assert areas["confidence"].between(0, 1).all()
    assert (areas["area"] > 0).all()


def test_halves_are_disjoint_and_not_trained_on(project):
    manifest, training = table(project, "manifest"), table(project, "training_manifest")
    assert manifest["half"].value_counts().to_dict() == {"labelled": 6, "unlabelled": 6}
    assert not set(manifest["sha256"]) & set(training["sha256"])
    assert len(training) > 1700
    assert manifest.loc[manifest["half"] == "unlabelled", "label"].isna().all()


def test_a_second_run_reuses_everything_and_says_the_same(project, caplog):
    before = frames(project)
    stamps = {p: p.stat().st_mtime_ns for p in (project / "data").rglob("*") if p.suffix in (".onnx", ".safetensors")}
    kedro_run(project)
    assert_same(before, frames(project))
    assert stamps == {p: p.stat().st_mtime_ns for p in stamps}


@pytest.mark.parametrize(("batch_size", "workers", "in_flight"), [(1, 1, 1), (7, 2, 3), (64, 1, 12)])
def test_batch_size_and_workers_change_no_number(project, batch_size, workers, in_flight):
    before = frames(project)
    shutil.rmtree(project / "data/miniature/05_mps_records")
    extraction = {"batch_size": batch_size, "workers": workers, "in_flight": in_flight, "shard_size": 5}
    kedro_run(project, pipelines=["mps_extraction", "metrics", "statistics"], extraction=extraction)
    assert_same(before, frames(project))


def test_a_killed_extraction_goes_on_where_it_stopped(project, monkeypatch):
    before = frames(project)
    store = project / "data/miniature/05_mps_records"
    shutil.rmtree(store)
    from mps_study.datasets.records.store import MpsRecords

    real, saved = MpsRecords.save, []

    def killed(self, data):
        if len(saved) == 3:
            raise KeyboardInterrupt
        saved.append(data)
        real(self, data)

    monkeypatch.setattr(MpsRecords, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        kedro_run(project, pipelines=["mps_extraction"], extraction={"shard_size": 2})
    monkeypatch.setattr(MpsRecords, "save", real)
    kept = {p: p.stat().st_mtime_ns for p in store.rglob("*.parquet")}
    assert kept
    kedro_run(project, pipelines=["mps_extraction", "metrics", "statistics"])
    assert kept == {p: p.stat().st_mtime_ns for p in kept}
    assert_same(before, frames(project))


def test_another_seed_is_another_fingerprint_and_leaves_the_first_alone(project):
    model = MODELS[0]
    store = project / "data/miniature/05_mps_records" / model
    before = {p.name for p in store.iterdir()}
    kedro_run(project, pipelines=["mps_extraction"], model=model, search={"seed": 5})
    after = {p.name for p in store.iterdir()}
    assert before < after
    assert len(after) == len(before) + 1


def test_one_model_can_be_searched_alone(project):
    store = project / "data/miniature/05_mps_records"
    shutil.rmtree(store)
    kedro_run(project, pipelines=["mps_extraction"], model=MODELS[2])
    assert [p.name for p in store.iterdir()] == [MODELS[2]]
    kedro_run(project, pipelines=["metrics"])
    assert set(table(project, "areas")["model"]) == {MODELS[2]}
    kedro_run(project, pipelines=["mps_extraction", "metrics", "statistics", "reporting"])


def test_there_is_one_mlflow_run_for_each_model_with_its_measures(project):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("miniature")
    marks = table(project, "areas").drop_duplicates("model").set_index("model")["fingerprint"]
    colours = set()
    for model in MODELS:
        runs = client.search_runs(
            [experiment.experiment_id], f"tags.model = '{model}' and tags.fingerprint = '{marks[model]}'"
        )
        (run,) = runs
        assert run.info.run_name == model
        assert run.info.status == "FINISHED"
        assert run.data.tags["study"] == "miniature"
        assert run.data.params["search.iterations"] == "2"
        summary = table(project, "model_summary").set_index("model").loc[model]
        assert run.data.metrics["area_labelled"] == pytest.approx(summary["area_labelled"])
        assert {"accuracy", "evaluations", "search/evaluations_per_second"} <= set(run.data.metrics)
        assert not [name for name in run.data.metrics if name.endswith(("_low", "_high", "_n"))]
        assert run.data.tags["dataset"] == "6 labelled of digits, 6 unlabelled of digits"
        assert run.data.tags["architecture"] in {"ConvNeXt", "ResNet"}
        colours.add(run.data.tags["mlflow.runColor"])
        areas = table(project, "areas").query("model == @model").set_index("image")["area"]
        steps = {image: step for step, image in enumerate(table(project, "manifest")["image"], start=1)}
        history = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "search/area")}
        assert history == pytest.approx({steps[image]: area for image, area in areas.items()})
        means = {m.step: m.value for m in client.get_metric_history(run.info.run_id, "search/area_mean")}
        assert means[12] == pytest.approx(areas.mean())
        assert {a.path for a in client.list_artifacts(run.info.run_id)} >= {"sizes.png", "sets.png"}
    assert len(colours) == len(MODELS)


def test_the_pipelines_are_those_of_the_readme(project):
    upstream = ["data_sampling", "fine_tuning", "model_export", "saliency", "mps_extraction", "probing"]
    names = [*upstream, "metrics", "statistics", "reporting"]
    assert [name for name in pipelines if name != "__default__"] == [*names, "verification"]
    assert {n.name for n in pipelines["__default__"].nodes} == {n.name for p in names for n in pipelines[p].nodes}


def test_what_is_up_to_date_is_gone_through_without_torch(project):
    """Which takes seconds to load, and most of a gigabyte."""
    code = """
import sys
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

bootstrap_project(Path.cwd())
with KedroSession.create(project_path=Path.cwd(), env="miniature") as session:
    session.run(pipeline_names=["mps_extraction"])
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_no_file_of_a_study_lies_deeper_than_windows_is_asked_for(project):
    study = project / "data/miniature"
    written = [path.relative_to(study).as_posix() for path in study.rglob("*") if path.is_file()]
    assert max(map(len, written)) <= max(map(len, paths(MODELS, ["study", "minimal_half"])))
