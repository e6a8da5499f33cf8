"""Data sets in the Parquet form of Hugging Face `datasets`: columns and metadata as its `to_parquet` writes them."""

import json

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from images.pictures import encoded
from mps_study.images.candidates import SourceError
from mps_study.images.sampling import Drawn, collect
from mps_study.images.sources import candidates_of

NAMES = ["tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark"]


def parquet(path, labels, names=NAMES, first=0, suffix=".JPEG", **columns):
    """A file of pictures, in row groups of three."""
    rows = [{"bytes": encoded(first + i), "path": f"{first + i}{suffix}"} for i in range(len(labels))]
    table = pa.table({"image": rows, "label": pa.array(labels, pa.int64()), **columns})
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    with fsspec.open(str(path), "wb") as file:
        pq.write_table(table, file, row_group_size=3)


@pytest.fixture
def dataset(tmp_path):
    """Two files of a validation split and one of test, whose labels are -1."""
    (tmp_path / "data").mkdir()
    parquet(tmp_path / "data/validation-00000-of-00002.parquet", [0, 1, 2, 1, 0])
    parquet(tmp_path / "data/validation-00001-of-00002.parquet", [2, 2], first=5)
    parquet(tmp_path / "data/test-00000-of-00001.parquet", [-1] * 4, first=7)
    return tmp_path


def test_the_rows_of_a_split_are_candidates_with_the_data_sets_own_classes(dataset):
    found = candidates_of({"kind": "hugging_face", "path": str(dataset), "split": "validation"})
    assert [c.label for c in found] == [0, 1, 2, 1, 0, 2, 2]
    assert found[0].class_name == "tench"
    assert found[6].image == "data/validation-00001-of-00002/0000001"
    assert found[6].suffix == ".jpeg"


def test_every_row_reads_its_own_bytes_across_files_and_row_groups(dataset):
    found = candidates_of({"kind": "hugging_face", "path": str(dataset), "split": "validation"})
    assert [c.read() for c in found] == [encoded(i) for i in range(7)]
    drawn = Drawn()
    collect(found, "labelled", 4, 1, "hugging_face", drawn)
    assert len(drawn.manifest) == 4


def test_a_row_without_an_image_is_left_out_and_another_is_drawn(tmp_path):
    rows = [{"bytes": encoded(0), "path": "a.png"}, {"bytes": None, "path": "b.png"}]
    pq.write_table(pa.table({"image": rows, "label": pa.array([0, 1], pa.int64())}), tmp_path / "a.parquet")
    drawn = Drawn()
    collect(candidates_of({"kind": "hugging_face", "path": str(tmp_path)}), "labelled", 2, 0, "hugging_face", drawn)
    assert drawn.manifest["image"].tolist() == ["a/0000000"]
    assert "row 1 of row group 0" in drawn.left_out[0]["reason"]


def test_negative_labels_are_none(dataset):
    found = candidates_of({"kind": "hugging_face", "path": str(dataset), "split": "test"})
    assert [(c.label, c.class_name) for c in found] == [(None, None)] * 4


def test_classes_named_by_wnids_get_imagenets_index(tmp_path):
    parquet(tmp_path / "train.parquet", [0, 1], names=["n02123045", "n01440764"])
    found = candidates_of({"kind": "hugging_face", "path": str(tmp_path)})
    assert [(c.label, c.class_name) for c in found] == [(281, "tabby"), (0, "tench")]


def test_a_remote_file_system_is_read_row_group_by_row_group():
    # fsspec's memory file system stands in for the hub's: both are reached through a URL.
    parquet("memory://hub/data/validation-0.parquet", list(range(3)) * 3)
    found = candidates_of({"kind": "hugging_face", "path": "memory://hub", "split": "validation"})
    assert [c.read() for c in found] == [encoded(i) for i in range(9)]


def test_images_may_be_plain_binary_and_labels_absent(tmp_path):
    pq.write_table(pa.table({"png": [encoded(0, "PNG"), encoded(1, "PNG")]}), tmp_path / "a.parquet")
    found = candidates_of({"kind": "hugging_face", "path": str(tmp_path), "image": "png", "label": None})
    assert [(c.read(), c.label) for c in found] == [(encoded(0, "PNG"), None), (encoded(1, "PNG"), None)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "train"}, "has no Parquet file to draw from: none of its 3 is of split 'train'"),
        ({"image": "picture"}, "expected a column 'picture' of encoded images .* it has image: struct, label: int64"),
        ({"label": "image"}, "expected a column 'image' of whole numbers .or give `label: null`"),
        ({"path": "/nowhere"}, "/nowhere has no Parquet file to draw from: no file there ends in .parquet"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused(dataset, arguments, message):
    with pytest.raises(SourceError, match=message):
        candidates_of({"kind": "hugging_face", "path": str(dataset), **arguments})


def test_a_broken_file_and_a_hub_out_of_reach_are_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(SourceError, match=r"data set .* cannot be read .ArrowInvalid"):
        candidates_of({"kind": "hugging_face", "path": str(tmp_path)})

    def offline(path):
        raise OSError("no route\nto host")

    monkeypatch.setattr("mps_study.images.hugging_face.url_to_fs", offline)
    with pytest.raises(SourceError, match=r"no route to host.; is the network there, and .* logged in"):
        candidates_of({"kind": "hugging_face", "path": "hf://datasets/a/b"})
