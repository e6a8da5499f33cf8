"""Maps as a part of a study: made once, kept, gone on with, and counted."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click import ClickException
from small_project import MODELS, kedro_run, table

from mps_study.datasets.claims import Claims
from mps_study.datasets.maps import store as maps_store
from mps_study.datasets.maps.store import SaliencyMaps
from mps_study.datasets.records.store import MpsRecords
from mps_study.pipelines import packing
from mps_study.pipelines.saliency import making

RISE = {"strategy": "rex", "ranking": {"kind": "rise", "masks": 24}, "floors": [], "several": 1}
"""More of a map than of a search: on images of 32 pixels."""
MODEL = MODELS[2]


@pytest.fixture(scope="module")
def study(project, tmp_path_factory):
    """A copy of the finished small study, for this module to change."""
    copy = tmp_path_factory.mktemp("maps") / "project"
    shutil.copytree(project, copy, symlinks=True)
    patch = pytest.MonkeyPatch()
    patch.chdir(copy)
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{copy}/mlflow.db")
    yield copy
    patch.undo()


def maps(study: Path) -> SaliencyMaps:
    return SaliencyMaps(str(study / "data/miniature/04_saliency_maps"))


def kept(study: Path, model: str = MODEL) -> dict[str, dict[str, np.ndarray]]:
    """Fingerprint -> image -> map."""
    reader = maps(study).load()
    return {folder.name: dict(reader.maps(model, folder.name)) for folder in sorted((reader.folder / model).glob("*"))}


def test_a_study_that_ranks_by_no_map_makes_none(study):
    kedro_run(study, pipelines=["saliency"])
    assert not (study / "data/miniature/04_saliency_maps").exists()


@pytest.fixture(scope="module")
def made(study):
    searches = {
        "rise": RISE,
        "rise_half": RISE | {"minimum_confidence_threshold": 0.5},
        "cam": {"ranking": "grad_cam", "floors": [], "several": 1},
    }
    kedro_run(study, pipelines=["mps_extraction", "metrics"], searches=searches, model=MODEL)
    return searches


def test_searches_that_differ_in_floors_share_their_maps_and_count_them(study, made):
    assert len(kept(study)) == 2
    areas = table(study, "areas").query("search != 'study'")
    costs = areas.groupby("search")[["map_evaluations", "map_gradients"]].agg(lambda values: set(values))
    assert costs.loc["rise"].tolist() == costs.loc["rise_half"].tolist() == [{25}, {0}]
    assert costs.loc["cam"].tolist() == [{2}, {1}]
    assert set(table(study, "areas").query("search == 'study'")["map_evaluations"]) == {0}
    # Whether the baseline alone gives the class is the model's doing, and a model is trained a little differently by
    # each kind of processor; but no search may say it of other images than the study's own.
    statuses = table(study, "areas").query("model == @MODEL").pivot(index="image", columns="search", values="status")
    assert statuses.shape == (12, 4) and statuses.eq(statuses["study"], axis=0).all(axis=None)
    assert "found" in set(statuses["study"]) <= {"found", "baseline"}


def test_what_is_there_is_not_made_again(study, made):
    stamps = {p: p.stat().st_mtime_ns for p in (study / "data/miniature/04_saliency_maps").rglob("*")}
    kedro_run(study, pipelines=["mps_extraction"], searches=made, model=MODEL)
    assert stamps == {p: p.stat().st_mtime_ns for p in (study / "data/miniature/04_saliency_maps").rglob("*")}


def test_maps_are_the_same_after_a_kill_and_for_any_batch_and_number_of_workers(study, made, monkeypatch):
    whole = kept(study)
    shutil.rmtree(study / "data/miniature/04_saliency_maps")
    monkeypatch.setattr(packing, "SHARD_SECONDS", 0)

    class Killed(BaseException):
        pass

    made_so_far, original = [], making._record

    def killed(image, *rest):
        if len(made_so_far) == 5:
            raise Killed
        made_so_far.append(image)
        return original(image, *rest)

    monkeypatch.setattr(making, "_record", killed)
    with pytest.raises(Killed):
        kedro_run(study, pipelines=["saliency"], searches=made, model=MODEL)
    some = kept(study)
    assert sum(len(each) for each in some.values()) == 5
    monkeypatch.setattr(making, "_record", original)
    monkeypatch.setattr(making, "cores", lambda: 3)
    extraction = {"batch_size": 5, "workers": 2, "shard_size": 3}
    kedro_run(study, pipelines=["saliency"], searches=made, model=MODEL, extraction=extraction)
    again = kept(study)
    assert again.keys() == whole.keys()
    for mark, images in whole.items():
        assert again[mark].keys() == images.keys() and len(images) == 12
        for image, values in images.items():
            np.testing.assert_array_equal(again[mark][image], values)


def test_a_map_that_cannot_be_made_is_a_record_that_says_so(study, made, monkeypatch):
    original = making._record

    def none(image, *rest):
        record = original(image, *rest)
        return replace(record, status=maps_store.NONE, reason="nothing to see", map=None)

    monkeypatch.setattr(making, "_record", none)
    searches = {"lost": RISE | {"ranking": {"kind": "rise", "masks": 3}}}
    with pytest.raises(ClickException, match="nothing to see"):
        kedro_run(study, pipelines=["mps_extraction"], searches=searches, model=MODEL)


def test_a_method_that_fails_is_noted_and_the_search_says_why(study, monkeypatch):
    from mps_study.saliency.gradients import GradCam

    def broken(self, case, model):
        raise ValueError("no feature map here")

    monkeypatch.setattr(GradCam, "map", broken)
    searches = {"cam": {"ranking": {"kind": "grad_cam", "layer": "stem"}, "floors": [], "several": 1}}
    with pytest.raises(ClickException, match=r"saliency failed for every model:\n.*grad_cam.*: no feature map here"):
        kedro_run(study, pipelines=["mps_extraction"], searches=searches, model=MODEL)
    searches["rise"] = RISE
    with pytest.raises(ClickException, match=r"mps_extraction, .*cam: saliency failed: no feature map here"):
        kedro_run(study, pipelines=["mps_extraction"], searches=searches, model=MODEL)


def test_maps_that_another_process_makes_are_left_to_it(study):
    searches = {"rise": RISE | {"ranking": {"kind": "rise", "masks": 2}}}
    folder, claims = study / "data/miniature/04_saliency_maps" / MODEL, study / "data/miniature/claims"
    before = set(folder.glob("*"))
    kedro_run(study, pipelines=["saliency"], searches=searches, model=MODEL)
    (made,) = set(folder.glob("*")) - before
    (unit,) = [lock.stem for lock in (claims / "saliency").glob("*.lock") if made.name[:8] in lock.stem]
    shutil.rmtree(made)
    with (
        Claims(claims).claim(f"saliency/{unit}"),
        pytest.raises(ClickException, match=rf"saliency failed for every model:\n  {unit}: saliency/{unit} is held by"),
    ):
        kedro_run(study, pipelines=["saliency"], searches=searches, model=MODEL)
    assert not made.exists()


@pytest.fixture(scope="module")
def own_maps(study, made):
    """The maps that RISE made, written as a user would write their own."""
    folder = study / "own_maps"
    reader = maps(study).load()
    facts = {mark: (reader.folder / MODEL / mark / "fingerprint.json").read_text() for mark in kept(study)}
    (mark,) = [mark for mark, told in facts.items() if '"masks": 24' in told]
    for image, values in reader.maps(MODEL, mark).items():
        path = folder / MODEL / f"{image}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values)
    return folder


def given(folder: Path, **more) -> dict:
    return {"given": RISE | {"ranking": {"kind": "given", "path": str(folder), **more}}}


def masks(study: Path, search: str) -> dict[str, bytes]:
    areas = table(study, "areas").query("search == @search and model == @MODEL")
    store = MpsRecords(str(study / "data/miniature/05_mps_records")).load()
    frame = store.read(MODEL, areas["fingerprint"].iloc[0], ["image", "mask"])
    return dict(zip(frame["image"], frame["mask"], strict=True))


def test_given_maps_find_the_sets_that_the_same_maps_find_when_the_study_makes_them(study, made, own_maps):
    kedro_run(study, pipelines=["mps_extraction", "metrics"], searches=made | given(own_maps), model=MODEL)
    assert masks(study, "given") == masks(study, "rise")
    assert set(table(study, "areas").query("search == 'given'")["map_evaluations"]) == {0}


def test_other_maps_are_other_records(study, made, own_maps):
    before = {path.name for path in (study / "data/miniature/05_mps_records" / MODEL).iterdir()}
    some = sorted(own_maps.rglob("*.npy"))[0]
    original = some.read_bytes()
    np.save(some, -np.load(some))
    kedro_run(study, pipelines=["mps_extraction"], searches=given(own_maps), model=MODEL)
    some.write_bytes(original)
    after = {path.name for path in (study / "data/miniature/05_mps_records" / MODEL).iterdir()}
    assert len(after - before) == 1


def refused(study: Path, searches: dict) -> str:
    with pytest.raises(ClickException) as error:
        kedro_run(study, pipelines=["mps_extraction"], searches=searches, model=MODEL)
    assert "\n" not in error.value.message
    return error.value.message


def test_maps_that_are_missing_are_named_before_the_run(study, own_maps, tmp_path):
    copy = shutil.copytree(own_maps, tmp_path / "maps")
    lost = sorted(copy.rglob("*.npy"))[3]
    lost.unlink()
    said = refused(study, given(copy))
    assert said.startswith(f"searches.given: 1 of 12 maps of model '{MODEL}' are missing; the first is {lost}: write")


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (lambda values: values[:5, :6], "is a map of 5 x 6, but the input of model"),
        (lambda values: np.stack([values] * 3), "of float32; a map is (h, w) and of numbers"),
        (lambda values: values.astype(str), "a map is (h, w) and of numbers"),
        (lambda values: values + np.nan, "holds values that are NaN or infinite"),
    ],
)
def test_maps_that_do_not_fit_are_named_before_the_run(study, own_maps, tmp_path, spoilt, says):
    copy = shutil.copytree(own_maps, tmp_path / "maps")
    wrong = sorted(copy.rglob("*.npy"))[2]
    np.save(wrong, spoilt(np.load(wrong)))
    said = refused(study, given(copy))
    assert said.startswith(f"searches.given: {wrong} ") and says in said


def test_a_file_that_is_no_array_is_named(study, own_maps, tmp_path):
    copy = shutil.copytree(own_maps, tmp_path / "maps")
    sorted(copy.rglob("*.npy"))[2].write_text("no array")
    assert "is no array that NumPy can read" in refused(study, given(copy))


def test_maps_of_another_size_are_taken_where_that_is_said(study, own_maps, tmp_path):
    copy = shutil.copytree(own_maps, tmp_path / "maps")
    for path in copy.rglob("*.npy"):
        np.save(path, np.load(path)[::2, ::2])
    kedro_run(study, pipelines=["mps_extraction"], searches=given(copy, resize=True), model=MODEL)


def test_without_captum_the_run_does_not_begin(study, monkeypatch):
    monkeypatch.setattr("mps_study.saliency.faults.find_spec", lambda name: None)
    said = refused(study, {"lime": {"ranking": "lime", "floors": [], "several": 1}})
    assert said.startswith("searches.lime: ranking lime is computed by captum, which is not installed; `pip install")


def test_an_onnx_file_is_refused_a_gradient_before_the_run(study):
    own = {"architecture": "Own", "onnx": str(next((study / "data/miniature/04_models").glob("*.onnx"))), "classes": 10}
    with pytest.raises(ClickException, match=r"searches.cam: ranking grad_cam: model 'own' is an ONNX file"):
        kedro_run(
            study,
            pipelines=["mps_extraction"],
            searches={"cam": {"ranking": "grad_cam", "floors": [], "several": 1}},
            models={"own": own},
            model="own",
        )
