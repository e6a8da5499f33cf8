"""A pipeline that is asked for does what of its upstream is missing or out of date, and nothing of it that is not."""

import logging
import shutil

import pandas as pd
import pytest
import yaml
from click import ClickException
from small_project import MODELS, kedro_run, make_project, table
from tiny_project import files, make_tiny_project, start, versions

from mps_study.datasets.claims import Claims

ASKED = ("--pipelines", "mps_extraction", "--params")


def run(project, *pipelines, **params):
    """`kedro run --env tiny --pipelines ...`, from the project's folder."""
    return kedro_run(project, env="tiny", pipelines=list(pipelines), **params)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project in which nothing but `mps_extraction --params model=one` has been asked for."""
    project = make_tiny_project(tmp_path_factory.mktemp("upstream") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setenv("DO_NOT_TRACK", "true")
        run(project, "mps_extraction", model="one")
    return project


@pytest.fixture
def project(finished, tmp_path, monkeypatch):
    """A copy of it, to work in."""
    copy = shutil.copytree(finished, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return copy


@pytest.fixture
def no_source_is_read(monkeypatch):
    """Whoever lists a source, or decodes an image to draw it, fails."""

    def read(*_):
        raise AssertionError("a source was read")

    for place in (
        "project.needs.candidates_of",
        "pipelines.data_sampling.nodes.candidates_of",
        "images.sampling.decode",
    ):
        monkeypatch.setattr(f"mps_study.{place}", read)


def searched(project):
    """The models that have records."""
    return sorted(path.name for path in (project / "data/tiny/05_mps_records").iterdir())


def test_one_model_asked_for_in_a_fresh_clone_is_sampled_exported_and_searched(finished):
    assert len(table(finished, "manifest", "tiny")) == 5
    assert [path.name for path in (finished / "data/tiny/04_models").glob("*.onnx")] == ["one.onnx"]
    assert searched(finished) == ["one"]
    assert not (finished / "data/tiny/06_measures").exists()


def test_it_is_fine_tuned_alone_too(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    file = project / "conf/miniature/parameters_models.yml"
    conf = yaml.safe_load(file.read_text())
    conf["fine_tuning"]["epochs"] = 1
    file.write_text(yaml.safe_dump(conf))
    kedro_run(project, pipelines=["mps_extraction"], model=MODELS[2])
    data = project / "data/miniature"
    for folder, suffix in (("03_checkpoints", "safetensors"), ("04_models", "onnx")):
        assert [path.stem for path in (data / folder).glob(f"*.{suffix}")] == [MODELS[2]]
    assert [path.parent.parent.name for path in (data / "05_mps_records").rglob("complete*")] == [MODELS[2]]


def test_asked_again_it_reads_no_source_and_writes_nothing(project, no_source_is_read):
    before = files(project)
    run(project, "mps_extraction", model="one")
    assert files(project) == before


def test_another_model_takes_the_same_sample_where_the_images_are_gone(project):
    shutil.rmtree(project / "photos")
    run(project, "mps_extraction", model="two")
    assert searched(project) == ["one", "two"]
    assert len(versions(project, "manifest")) == 1


def test_the_whole_study_goes_on_where_the_images_are_gone(project, no_source_is_read):
    run(project, model="two")  # which the study does not compare: it is shown behind those that it does
    assert list(dict.fromkeys(table(project, "areas", "tiny")["model"])) == ["one", "two"]
    run(project)
    assert list(dict.fromkeys(table(project, "areas", "tiny")["model"])) == ["one"]
    assert len(versions(project, "manifest")) == 1


def test_another_seed_draws_another_sample(project):
    before = table(project, "manifest", "tiny")
    run(project, "mps_extraction", model="one", data_sampling={"seed": 1})
    assert len(versions(project, "manifest")) == 2
    assert list(table(project, "manifest", "tiny")["image"]) != list(before["image"])


def test_a_sample_that_is_gone_cannot_be_drawn_otherwise_and_the_answer_says_how_it_was(project):
    shutil.rmtree(project / "photos")
    with pytest.raises(ClickException, match=r"photos.*; the sample that is there was drawn with .*'seed': 0") as error:
        run(project, "mps_extraction", model="one", data_sampling={"seed": 1})
    assert "\n" not in error.value.message


def test_images_that_are_missing_in_the_store_are_drawn_again(project):
    before = table(project, "manifest", "tiny")
    lost = next((project / "data/tiny/01_images").rglob("*.png"))
    content = lost.read_bytes()
    lost.unlink()
    run(project, "data_sampling")
    assert lost.read_bytes() == content
    pd.testing.assert_frame_equal(table(project, "manifest", "tiny"), before)


def test_a_sample_of_an_earlier_version_is_drawn_again_and_is_the_same(project):
    (version,) = versions(project, "manifest")
    path = project / f"data/tiny/02_manifest/manifest.parquet/{version}/manifest.parquet"
    before = pd.read_parquet(path)
    pd.DataFrame(before.to_dict("list")).astype(before.dtypes).to_parquet(path, index=False)
    assert not pd.read_parquet(path).attrs
    run(project, "mps_extraction", model="one")
    assert len(versions(project, "manifest")) == 2
    pd.testing.assert_frame_equal(table(project, "manifest", "tiny"), before)
    assert len(list((project / "data/tiny/05_mps_records/one").iterdir())) == 1


def test_a_model_whose_file_was_deleted_is_exported_again(project, no_source_is_read):
    model = project / "data/tiny/04_models/one.onnx"
    model.unlink()
    run(project, "mps_extraction", model="one")
    assert model.is_file()


def test_whoever_comes_while_the_sample_is_drawn_waits_for_it(project):
    shutil.rmtree(project / "data")
    with Claims(project / "data/tiny/claims").claim("data_sampling"):
        second = start(project, *ASKED, "model=two")
        told = next(line for line in second.stdout if "waiting" in line or "Error" in line)
        assert "data_sampling is held by process" in told and told.rstrip().endswith("waiting for it")
        assert second.poll() is None
    assert "two: 5 images searched" in second.stdout.read()
    assert second.wait() == 0


def test_two_jobs_of_one_model_each_share_a_fresh_clone(project):
    shutil.rmtree(project / "data")
    jobs = [start(project, *ASKED, f"model={name}") for name in ("one", "two")]
    told = [job.communicate()[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], told
    assert len(versions(project, "manifest")) == 1
    assert searched(project) == ["one", "two"]


def test_a_sample_that_is_there_is_not_waited_for_beyond_a_look(project, caplog):
    caplog.set_level(logging.INFO)
    with Claims(project / "data/tiny/claims").claim("mps_extraction/two"):
        run(project, "mps_extraction", model="one")
    assert "the sample is there: nothing is drawn" in caplog.text and "waiting" not in caplog.text


@pytest.mark.parametrize(
    ("pipelines", "params", "command"),
    [
        (["metrics"], {}, "kedro run --env tiny --pipelines mps_extraction,metrics"),
        (["reporting"], {}, "kedro run --env tiny --pipelines mps_extraction,metrics,statistics,reporting"),
        (["statistics"], {"search": {"seed": 4}}, "mps_extraction,metrics,statistics --params search.seed=4"),
    ],
)
def test_what_is_missing_upstream_of_the_quick_pipelines_is_said_with_the_command_that_makes_it(
    project, pipelines, params, command
):
    shutil.rmtree(project / "data")
    with pytest.raises(ClickException) as error:
        run(project, *pipelines, **params)
    assert error.value.message.endswith(f"{command}`") and "\n" not in error.value.message
    assert not (project / "data").exists()


def test_records_of_another_configuration_are_not_those_of_this_and_the_answer_can_be_pasted(project):
    with pytest.raises(ClickException) as error:
        run(project, "metrics", search={"seed": 4})
    assert "no model has complete records under this configuration" in error.value.message
    assert "`kedro run --env tiny --pipelines mps_extraction,metrics --params search.seed=4`" in error.value.message
