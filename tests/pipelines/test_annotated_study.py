"""A study whose source says where the objects are: read before all else, again when mended, kept when gone."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from click import ClickException
from kedro.io.core import Version
from small_project import kedro_run, table
from tiny_project import make_tiny_project

from mps_study.datasets.frames import FrameSoFar, KeptFrame
from mps_study.datasets.records.store import MpsRecords, RecordShard
from mps_study.images.candidates import SourceError
from mps_study.mps.types import FOUND, MpsRecord, Target
from mps_study.pipelines.data_sampling.nodes import read_annotations
from mps_study.pipelines.metrics.nodes import compute_agreement
from mps_study.project.parameters import DataSampling

HEAD = "image,left,top,right,bottom\n"
LEFT_HALF = HEAD + "".join(f"{folder}/{i}.png,0,0,6,9\n" for folder in "01" for i in range(4))
"""The photos are of 12 x 9 pixels."""


def sampling_of(path="boxes.csv"):
    source = {"kind": "folder", "path": "photos"}
    return {
        "labelled": {"source": source | {"annotations": {"kind": "csv", "path": path}}, "n": 3},
        "unlabelled": {"source": source, "n": 2},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose labelled half has the left half of every photo marked."""
    folder = make_tiny_project(tmp_path_factory.mktemp("annotated") / "project")
    conf = folder / "conf/tiny/parameters.yml"
    conf.write_text(yaml.safe_dump(yaml.safe_load(conf.read_text()) | {"data_sampling": sampling_of()}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DO_NOT_TRACK", "true")
        yield folder


def sample(project, **params):
    kedro_run(project, env="tiny", pipelines=["data_sampling"], **params)


def refused(project, message, **params):
    with pytest.raises(ClickException, match=message) as error:
        sample(project, **params)
    assert "\n" not in error.value.message and not (project / "data/tiny/02_manifest").exists()


def test_what_cannot_be_is_said_before_any_work_and_else_they_are_read_with_the_sample(project):
    (project / "boxes.csv").write_text(HEAD + "elsewhere,0,0,6,9\n")
    refused(project, re.escape("data_sampling: annotations csv boxes.csv: none of its 1 names, such as 'elsewhere'"))
    training = sampling_of()["labelled"]["source"]
    refused(project, "data_sampling.training: annotations are", data_sampling=sampling_of() | {"training": training})
    (project / "boxes.csv").write_text(LEFT_HALF)
    sample(project)
    manifest, annotations = (table(project, name, "tiny") for name in ("manifest", "annotations"))
    assert list(annotations["image"]) == list(manifest[manifest["half"] == "labelled"]["image"])
    assert len(set(manifest["image"])) == 5  # the halves are of one source still, and share no image


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads the annotations of two images once more; says how many versions there are, and the last."""
    monkeypatch.chdir(tmp_path)
    manifest = pd.DataFrame({"image": ["0/1.png", "1/2.png"], "sha256": ["a", "b"], "half": "labelled"})
    manifest = manifest.assign(width=pd.array([12, 12], "Int64"), height=pd.array([9, 9], "Int64"))
    path = str(tmp_path / "annotations.parquet")

    def once(file="boxes.csv"):
        sampling = DataSampling.model_validate(sampling_of(file))
        there = sorted(tmp_path.glob("annotations.parquet/*"))
        frame = read_annotations(sampling, manifest, FrameSoFar(path).load())
        KeptFrame(path, Version(None, f"2025-01-0{len(there) + 1}T00.00.00.000Z")).save(frame)
        return len(list(tmp_path.glob("annotations.parquet/*"))), KeptFrame(path, Version(None, None)).load()

    return once


def test_they_are_read_again_when_mended_and_else_stay(read, tmp_path, caplog):
    (tmp_path / "boxes.csv").write_text(LEFT_HALF)
    assert read()[0] == read()[0] == 1
    (tmp_path / "boxes.csv").write_text(LEFT_HALF.replace("0,0,6,9", "0,0,5,9"))
    count, frame = read()
    assert (count, frame["right"].tolist()) == (2, [5, 5])
    (tmp_path / "boxes.csv").rename(tmp_path / "moved.csv")
    assert read()[0] == 2
    assert "boxes.csv is gone; what was read of it before stays" in caplog.text
    with pytest.raises(SourceError, match=re.escape("there is no CSV file of annotations at other.csv")):
        read("other.csv")


def test_neither_the_sample_nor_its_request_depends_on_them():
    marked, bare = (DataSampling.model_validate(sampling_of(path)) for path in ("a.csv", "b.csv"))
    assert marked.request == bare.request and "annotations" not in str(bare.request)
    assert marked.annotations == {"labelled": {"kind": "csv", "path": "a.csv"}}


def test_records_of_the_store_are_measured_image_by_image(tmp_path):
    """Two models that see the same image whole, and its right half; the sets are the upper left corner of each."""
    corner, map_ = np.zeros((4, 4), dtype=bool), np.arange(16, dtype=np.float32).reshape(4, 4)
    corner[:2, :2] = True
    store = MpsRecords(str(tmp_path / "records"))
    views = {"whole": (0.0, 0.0, 8.0, 8.0), "right": (0.0, 4.0, 8.0, 8.0)}
    for model, view in views.items():
        records = [MpsRecord("a", FOUND, "", Target(3, 0.9), corner, 0.4, 9, 9, map_ if model == "whole" else None)]
        store.save(RecordShard(model, "f", {}, 0, records, {"a": view}, complete=True))
    areas = pd.DataFrame({"image": "a", "model": list(views), "fingerprint": "f", "search": "study", "status": FOUND})
    areas = areas.assign(architecture="A", half="labelled", correct=True)
    annotations = pd.DataFrame(
        {"image": "a", "name": "x", "left": [1.0], "top": [0.0], "right": [6.0], "bottom": [8.0], "mask": None}
    )
    found = compute_agreement(areas, annotations, store.load()).set_index("model")
    # columns have their centres at 1, 3, 5, 7; and at 4.5, 5.5, 6.5, 7.5
    assert found["chance"].to_dict() == {"whole": 0.75, "right": 0.5}
    assert found["inside"].to_dict() == {"whole": 1, "right": 1}
    assert found["covered"].to_dict() == {"whole": 4 / 12, "right": 0.5}
    assert found.loc["whole", "pointing"] == 0 and np.isnan(found.loc["right", "pointing"])
    assert found.loc["whole", "responsibility_inside"] == pytest.approx(1 - map_[:, 3].sum() / map_.sum())
    without = compute_agreement(areas, pd.DataFrame(), store.load())
    assert without["missing"].tolist() == ["no annotation"] * 2


@pytest.mark.slow
def test_a_whole_study_says_where_its_sets_lie(project):
    (project / "boxes.csv").write_text(LEFT_HALF)
    kedro_run(project, env="tiny", pipelines=["mps_extraction", "metrics"])
    manifest, agreement, areas = (table(project, name, "tiny") for name in ("manifest", "agreement", "areas"))
    assert agreement["image"].tolist() == areas["image"].tolist()
    marked = agreement["image"].isin(manifest[manifest["half"] == "labelled"]["image"])
    found = (areas["status"] == "found") & marked
    assert found.any() and (agreement["missing"][found] == "").all()
    assert agreement["chance"][found].between(0.4, 0.6).all()
    assert (agreement["missing"][~marked] == "no annotation").all()
