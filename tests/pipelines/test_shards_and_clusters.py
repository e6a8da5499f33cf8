"""A study is the same whoever searches it: this process, a local cluster, or parts of it, at once or in turn."""

import shutil

import pandas as pd
import pytest
from click import ClickException
from small_project import kedro_run
from tiny_project import make_tiny_project, start

from mps_study.datasets.claims import Claims
from mps_study.datasets.failures import FailureNotes
from mps_study.datasets.models import ModelCards


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A tiny study with two models and two searches, searched by one process."""
    folder = make_tiny_project(tmp_path_factory.mktemp("tiny") / "project")
    conf = folder / "conf/tiny/parameters.yml"
    told = conf.read_text().replace("- one", "- one\n- two")
    conf.write_text(told.replace("searches: {}", "searches:\n  tiles: {strategy: minimal, granularity: 4}"))
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    kedro_run(folder, env="tiny", pipelines=["mps_extraction"])
    patch.undo()
    return folder


@pytest.fixture
def project(whole, tmp_path, monkeypatch):
    """A copy of it without the records."""
    copy = tmp_path / "project"
    shutil.copytree(whole, copy, symlinks=True)
    shutil.rmtree(copy / "data/tiny/05_mps_records")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return copy


def records(project):
    """All records in a fixed order, with how many files say that a model and search is complete."""
    store = project / "data/tiny/05_mps_records"
    frame = pd.concat([pd.read_parquet(shard) for shard in store.rglob("*.parquet")])
    return frame.sort_values(["model", "fingerprint", "image"], ignore_index=True), len(list(store.rglob("complete.*")))


def assert_same(project, whole):
    """The records are equal to the bit, each once, and the models complete."""
    (found, complete), (wanted, all_of_them) = records(project), records(whole)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    assert complete == all_of_them == 4


def test_a_local_cluster_finds_the_same(project, whole):
    extraction = {"cluster": "local", "cluster_workers": 2, "batch_size": 4, "workers": 2}
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], extraction=extraction)
    assert_same(project, whole)


def test_speed_that_was_measured_on_a_worker_comes_into_the_card(project):
    cards = ModelCards(str(project / "data/tiny/04_models"))
    assert cards.load()["one"].throughput == {}
    conf = project / "conf/tiny/parameters.yml"
    conf.write_text(
        conf.read_text().replace("batch_size: 8", "batch_size: null").replace("workers: 1", "workers: null")
    )
    chosen = {"model": "one", "only_search": "study", "extraction": {"cluster": "local", "cluster_workers": 1}}
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], **chosen)
    (machine,) = cards.load()["one"].throughput
    assert "cores" in machine


def test_parts_that_begin_at_once_with_nothing_share_what_comes_before_and_the_last_says_that_all_is_there(
    project, whole
):
    shutil.rmtree(project / "data")
    both = [start(project, "--pipelines", "mps_extraction", "--params", f"shard={i}/2") for i in (1, 2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert "".join(said).count("agrees with torch") == 2, "a model was exported twice"
    assert_same(project, whole)


def test_parts_after_each_other_find_the_same_and_a_study_is_not_complete_without_one(project, whole):
    for shard in ("3/3", "1/3"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], shard=shard)
        assert records(project)[1] == 0
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], shard="2/3")
    assert_same(project, whole)


def test_what_parts_have_found_is_not_searched_again_by_one_process(project, whole):
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], shard="2/2")
    before = {path: path.stat().st_mtime_ns for path in (project / "data/tiny/05_mps_records").rglob("*.parquet")}
    kedro_run(project, env="tiny", pipelines=["mps_extraction"])
    assert before.items() <= {path: path.stat().st_mtime_ns for path in before}.items()
    assert_same(project, whole)


def test_a_part_is_refused_while_one_process_has_the_whole_and_tells_who(project):
    claims = Claims(project / "data/tiny/claims")
    told = pytest.raises(ClickException, match="one, study, 1 of 2: mps_extraction/one is held by process")
    with claims.claim_whole("mps_extraction/one", "mps_extraction/one, study"), told:
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], model="one", only_search="study", shard="1/2")
    assert FailureNotes(str(project / "data/tiny/failures")).load() == {}


def test_a_failure_of_a_part_is_noted_as_its_own_and_forgotten_once_the_whole_is_there(project, whole, monkeypatch):
    notes = FailureNotes(str(project / "data/tiny/failures"))
    model = project / "data/tiny/04_models/one.onnx"
    content = model.read_bytes()
    model.write_bytes(content[:500])
    chosen = {"model": "one", "only_search": "study"}
    with pytest.raises(ClickException, match=r"one, study, 1 of 2: .* is not the model that its card describes"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], shard="1/2", **chosen)
    assert list(notes.load()) == [("mps_extraction", "one, study, 1 of 2")]
    model.write_bytes(content)
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], **chosen)
    assert notes.load() == {}


def test_a_part_with_what_comes_after_the_search_is_refused_in_one_line(project):
    with pytest.raises(ClickException, match=r"shard=1/2 searches a part .* needs all of them; run `kedro run .*`"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction", "metrics"], shard="1/2")


def test_certificates_that_are_missing_are_told_before_any_work(project):
    with pytest.raises(ClickException, match=r"tls://there:8786 needs certificates, but there is no .*ca\.pem"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], extraction={"cluster": "tls://there:8786"})


def test_a_scheduler_that_is_not_there_is_told_in_one_line(project, monkeypatch):
    monkeypatch.setattr("mps_study.compute.on_dask.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ClickException, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*`dask scheduler`"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], extraction={"cluster": "tcp://127.0.0.1:9"})
