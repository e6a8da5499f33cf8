"""What `kedro viz` shows of a study."""

import base64
import io
import json

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image

from mps_study.datasets.previews import ASPECT
from mps_study.pipelines.stages import STAGES, own_nodes


@pytest.fixture
def catalog(project):
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env="miniature") as session:
        return session.load_context().catalog


def data_of_the_pipelines():
    names = pipelines["__default__"].datasets()
    return sorted(name for name in names if name != "parameters" and not name.startswith("params:"))


def test_every_dataset_says_what_it_is_and_stands_in_a_layer(catalog):
    for name in data_of_the_pipelines():
        metadata = catalog[name].metadata
        assert len(metadata["description"]) > 15, name
        assert metadata["kedro-viz"]["layer"], name


def test_every_node_says_what_it_makes(catalog):
    for node in pipelines["__default__"].nodes:
        assert node.func.__doc__, node.name


def test_each_stage_is_one_box_whose_name_no_dataset_bears(project):
    for stage in STAGES:
        assert {node.namespace for node in own_nodes(stage).nodes} == {stage}
    assert not [name for name in data_of_the_pipelines() if "." in name]


def test_tables_figures_and_stores_have_a_preview(catalog):
    shown = {}
    for name in data_of_the_pipelines():
        dataset = catalog[name]
        if hasattr(dataset, "preview"):
            shown[name] = dataset.preview(**dataset.metadata["kedro-viz"].get("preview_args", {}))
    assert {"areas", "overlaps", "model_summary", "statistics", "tables", "figures", "images", "mps_records"} <= set(
        shown
    )
    # no other study fine-tuned these models, no image failed, nobody marked digits, one search, without map or curve
    maps = ("saliency_maps", "saliency_maps_so_far")
    for empty in ("fine_tuned_summary", "left_out", "annotations", "search_overlaps", "anytime", *maps):
        assert shown.pop(empty)["data"] == []
    for name, preview in shown.items():
        if isinstance(preview, str):
            width, height = Image.open(io.BytesIO(base64.b64decode(preview))).size
            assert width > 200, name
            assert width / height == pytest.approx(ASPECT, abs=0.01), name
        else:
            assert preview["data"], name
            assert len(preview["columns"]) == len(preview["data"][0]), name
            json.dumps(preview, allow_nan=False)
            numbers = [str(cell) for row in preview["data"] for cell in row if isinstance(cell, float)]
            assert all(len(number.strip("-0.").split("e")[0]) < 7 for number in numbers), name
    records = shown["mps_records"]
    assert records["columns"] == ["model", "fingerprint", "images", "complete"]
    assert all(row[2] == 12 and row[3] for row in records["data"])
