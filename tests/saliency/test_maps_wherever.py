"""A search that ranks by a map finds the same wherever it runs, and its records say what the map took."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from small_project import kedro_run
from tiny_project import make_tiny_project

from mps_study.app.command_line import cli
from mps_study.datasets.failures import FailureNotes
from mps_study.datasets.maps import store as maps_store
from mps_study.datasets.maps.store import SaliencyMaps
from mps_study.pipelines.saliency import making

BY_A_MAP = {
    "study": {"strategy": "rex", "ranking": {"kind": "rise", "masks": 12, "cells": 3}, "chunk_size": 4},
    "mine": {"strategy": "rex", "ranking": {"kind": "given", "path": "maps"}, "chunk_size": 4},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A tiny study of one model, whose searches rank by RISE and by maps of the user's; searched by one process.

    Of one image RISE makes no map.
    """
    folder = make_tiny_project(tmp_path_factory.mktemp("tiny") / "project")
    conf = folder / "conf/tiny/parameters.yml"
    told = yaml.safe_load(conf.read_text())
    told |= {"search": BY_A_MAP["study"], "searches": {"mine": BY_A_MAP["mine"]}}
    conf.write_text(yaml.safe_dump(told, sort_keys=False))
    for image in (folder / "photos").rglob("*.png"):
        chance = np.random.default_rng(len(list((folder / "maps").rglob("*.npy"))))
        path = folder / "maps/one" / f"{image.relative_to(folder / 'photos').as_posix()}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, chance.random((16, 16)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DO_NOT_TRACK", "true")
        made, original = [], making._record

        def without_one(image, *rest):
            made.append(image)
            record = original(image, *rest)
            return record if len(made) != 2 else replace(record, status=maps_store.NONE, reason="no map", map=None)

        patch.setattr(making, "_record", without_one)
        kedro_run(folder, env="tiny", pipelines=["mps_extraction"])
    return folder


@pytest.fixture
def project(whole, tmp_path, monkeypatch):
    """A copy of it with the maps and without the records."""
    copy = tmp_path / "project"
    shutil.copytree(whole, copy, symlinks=True)
    shutil.rmtree(copy / "data/tiny/05_mps_records")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return copy


def records(project: Path) -> pd.DataFrame:
    """All records in a fixed order; of those that were never searched it does not matter where that was found."""
    store = project / "data/tiny/05_mps_records"
    assert len(list(store.rglob("complete.json"))) == 2
    frame = pd.concat([pd.read_parquet(shard) for shard in store.rglob("*.parquet")]).convert_dtypes()
    frame.loc[frame["status"] == "failed", "made_with"] = ""
    return frame.sort_values(["fingerprint", "image"], ignore_index=True)


def test_in_this_process_the_records_say_what_the_maps_took_and_which_is_missing(whole):
    found = records(whole)
    costs = found.groupby("fingerprint")["map_evaluations"].agg(list).tolist()
    assert sorted(costs) == [[0] * 5, [13] * 5] and set(found["map_gradients"]) == {0}
    assert found.loc[found["status"] == "failed", "reason"].tolist() == ["no map"]
    assert (found["status"] == "found").sum() > 5
    (mark,) = (path.name for path in (whole / "data/tiny/04_saliency_maps/one").iterdir())
    assert len(SaliencyMaps(str(whole / "data/tiny/04_saliency_maps")).load().maps("one", mark)) == 4


def test_parts_find_the_same(project, whole):
    for shard in ("2/2", "1/2"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"], shard=shard)
    pd.testing.assert_frame_equal(records(project), records(whole), check_exact=True)


def test_a_worker_of_a_local_cluster_finds_the_same(project, whole):
    extraction = {"cluster": "local", "cluster_workers": 1}
    kedro_run(project, env="tiny", pipelines=["mps_extraction"], extraction=extraction)
    pd.testing.assert_frame_equal(records(project), records(whole), check_exact=True)


def ask(*words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--env", "tiny"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_plan_says_which_maps_its_figures_leave_out(project):
    line = "not in these figures: maps that are made before the search:"
    assert line not in ask("plan")
    shutil.rmtree(project / "data/tiny/04_saliency_maps")
    assert f"{line} one (5)\n" in ask("plan")


def test_the_status_says_whose_maps_could_not_be_made(project):
    (mark,) = (path.name for path in (project / "data/tiny/04_saliency_maps/one").iterdir())
    notes = FailureNotes(str(project / "data/tiny/failures"))
    notes.save({("saliency", f"one, rise {mark[:8]}"): "no memory", ("saliency", "one, rise 00000000"): "of another"})
    study, mine = json.loads(ask("status", "--json"))["units"]
    assert (study["state"], study["reason"]) == ("failed", "no memory")
    assert (mine["state"], mine["reason"]) == ("waiting", "")
