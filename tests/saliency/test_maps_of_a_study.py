"""Maps as a part of a study: made once, kept, gone on with, and counted."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click import ClickException
from small_project import MODELS, kedro_run, table

from mps_study.datasets.maps import store as maps_store
from mps_study.datasets.maps.store import SaliencyMaps
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
    assert (areas["status"] == "found").mean() > 0.9


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
    from mps_study.datasets.claims import Claims

    searches = {"rise": RISE | {"ranking": {"kind": "rise", "masks": 2}}}
    kedro_run(study, pipelines=["saliency"], searches=searches, model=MODEL)
    mark = next(iter({path.name for path in (maps(study).load().folder / MODEL).glob("*")}))
    assert maps(study).load().is_complete(MODEL, mark)
    claims = Claims(study / "data/miniature/claims")
    units = [path.stem for path in (study / "data/miniature/claims/saliency").glob("*.lock")]
    (unit,) = [unit for unit in units if unit.startswith(MODEL) and "rise" in unit][-1:]
    shutil.rmtree(study / "data/miniature/04_saliency_maps")
    with claims.claim(f"saliency/{unit}"):
        assert unit.partition(", ")[0] == MODEL
    assert pd.Series(units).is_unique
