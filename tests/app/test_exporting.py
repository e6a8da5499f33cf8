"""A study's sets for other tools, at the input's and the image's size, and one image's."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from small_project import kedro_run
from tiny_project import make_tiny_project

from models.colour_models import FORMS, colour_model
from mps_study import explain
from mps_study.app import exporting
from mps_study.app.command_line import cli
from mps_study.datasets.records.store import MpsRecords, unpack_mask
from mps_study.measures import agreement, areas, more_sets, overlap
from mps_study.measures.frame import on_image
from mps_study.measures.trust import rows as trust
from mps_study.pipelines.probing import frames
from mps_study.stats import rows as statistics


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The tiny study, from the sample to the metrics."""
    folder = make_tiny_project(tmp_path_factory.mktemp("export") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DO_NOT_TRACK", "true")
        kedro_run(folder, "tiny", ["mps_extraction", "metrics"])
        yield folder


def run(project, *words):
    done = CliRunner().invoke(cli, ["export", "--env", "tiny", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def stored(project):
    """image -> (mask at the input's size, view, width, height) of every set."""
    manifest = pd.read_parquet(sorted((project / "data/tiny").rglob("manifest.parquet/*/*.parquet"))[-1])
    sizes = {row.image: (row.width, row.height) for row in manifest.itertuples()}
    store = MpsRecords(str(project / "data/tiny/05_mps_records")).load()
    (mark,) = (path.name for path in (project / "data/tiny/05_mps_records/one").iterdir())
    records = store.by_image({"one": mark})
    found = {}
    for image in sizes:
        row = records.record(image, "one", ("mask", "height", "width", "view"))
        if row["mask"] is not None:
            found[image] = unpack_mask(row["mask"], row["height"], row["width"]), row["view"], *sizes[image]
    assert found
    return found


def test_coco_is_read_by_pycocotools_and_holds_every_set(project, tmp_path):
    for at in ("image", "input"):
        assert run(project, "--format", "coco", "--at", at, "--out", str(tmp_path / at))[0] == 0
        coco = COCO(str(tmp_path / at / "one.study.json"))
        names = {image["file_name"]: number for number, image in coco.imgs.items()}
        sets = stored(project)
        assert len(coco.anns) == len(sets)
        for image, (mask, view, width, height) in sets.items():
            (annotation,) = coco.imgToAnns[names[image]]
            expected = mask if at == "input" else on_image(mask, view, width, height, False)
            np.testing.assert_array_equal(coco.annToMask(annotation).astype(bool), expected)
            assert annotation["area"] == expected.sum() == coco_mask.area(annotation["segmentation"])
            assert annotation["category_id"] in coco.cats and 0 < annotation["score"] <= 1


def test_pictures_and_arrays_are_the_masks(project, tmp_path):
    assert run(project, "--out", str(tmp_path / "png"))[0] == 0
    assert run(project, "--format", "npz", "--at", "input", "--out", str(tmp_path / "npz"))[0] == 0
    for image, (mask, view, width, height) in stored(project).items():
        name = image.replace("/", "__")
        seen = np.asarray(Image.open(tmp_path / "png/study/one" / f"{name}.png"))
        np.testing.assert_array_equal(seen, on_image(mask, view, width, height, False))
        with np.load(tmp_path / "npz/study/one" / f"{name}.npz") as arrays:
            np.testing.assert_array_equal(arrays["mask"], mask)
            assert arrays["status"] == "found" and 0 < arrays["confidence"] <= 1


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_every_column_of_every_table_is_in_the_dictionary(project, tmp_path, format):
    code, said = run(project, "--format", format, "--out", str(tmp_path))
    assert code == 0, said
    dictionary = pd.read_csv(tmp_path / "dictionary.csv", keep_default_na=False)
    assert (dictionary["meaning"].str.len() > 5).all()
    frames = {path.stem: path for path in tmp_path.glob(f"*.{format}") if path.stem != "dictionary"}
    assert {"areas", "manifest", "model_summary", "overlaps"} <= set(frames)
    assert set(dictionary["frame"]) == set(frames)
    for name, path in frames.items():
        frame = pd.read_csv(path) if format == "csv" else pd.read_parquet(path)
        assert list(frame.columns) == list(dictionary["column"][dictionary["frame"] == name]), name


def test_what_is_missing_is_said_with_its_command(project, tmp_path):
    code, said = run(project, "--model", "two", "--params", "model=two", "--out", str(tmp_path))
    assert code == 1
    assert "model 'two' has no complete records of search 'study'; run `kedro run --env tiny" in said
    code, said = run(project, "--model", "tow", "--out", str(tmp_path))
    assert code == 1 and "did you mean 'two'" in said


def test_a_mask_lies_on_the_image_where_the_model_saw_it():
    mask = np.array([[True, False], [False, True]])
    # the model saw the middle 4 x 4 of an image 6 wide and 4 high
    found = on_image(mask, (0, 1, 4, 5), 6, 4, False)
    expected = np.zeros((4, 6), dtype=bool)
    expected[:2, 1:3] = expected[2:, 3:5] = True
    np.testing.assert_array_equal(found, expected)
    # and one in which it padded: the view begins above the image
    padded = on_image(np.array([[1.0], [2.0]], np.float32), (-2, 0, 4, 2), 2, 2, np.nan)
    np.testing.assert_array_equal(padded, [[1, 1], [2, 2]])


def test_one_image_on_itself_as_arrays_and_as_coco(tmp_path):
    model = colour_model(tmp_path / "m.onnx", **FORMS["float32"][0])
    pixels = np.full((60, 90, 3), (100, 105, 110), dtype=np.uint8)
    pixels[10:30, 30:60] = (230, 20, 30)
    found = explain(pixels, model, preprocessing=FORMS["float32"][1], class_names=["red", "green", "blue"])
    assert found.mask_on_image.shape == (60, 90)
    assert found.mask_on_image[10:30, 30:60].any() and not found.mask_on_image[:, :5].any()
    with np.load(found.save(tmp_path / "x.npz")) as arrays:
        np.testing.assert_array_equal(arrays["mask_on_image"], found.mask_on_image)
        assert set(arrays) == {"mask", "mask_on_image", "landscape"}
    coco = json.loads(json.dumps(found.to_coco()))
    (annotation,) = coco["annotations"]
    np.testing.assert_array_equal(coco_mask.decode(annotation["segmentation"]).astype(bool), found.mask_on_image)
    assert coco["categories"] == [{"id": 0, "name": "red"}]
    assert coco["images"][0] | {"file_name": ""} == {"id": 1, "file_name": "", "width": 90, "height": 60}


def test_the_dictionary_has_the_columns_of_frames_that_this_study_does_not_have():
    dictionary = pd.read_csv(Path(exporting.__file__).with_name("dictionary.csv"), dtype=str, keep_default_na=False)
    known = {
        "areas": areas.COLUMNS, "more_sets": more_sets.COLUMNS, "overlaps": [*overlap.COLUMNS, "search"],
        "agreement": agreement.COLUMNS, "answers": [*frames.ANSWERS, "logits"], "probes": frames.PROBES,
        "sub_explanations": frames.SUB_EXPLANATIONS, "trust": trust.COLUMNS, "statistics": statistics.COLUMNS,
    }  # fmt: skip
    for name, columns in known.items():
        assert list(dictionary["column"][dictionary["frame"] == name]) == list(columns), name


def test_each_image_has_a_file_of_its_own_on_any_disk():
    images = ["cat/a b", "cat/a_b", "cat/A_b", "dog", "con", "nul.x", "end.", "plain-1"]
    names = exporting.file_names(images)
    assert (names["dog"], names["plain-1"], names["end."]) == ("dog", "plain-1", "end")
    assert len({name.casefold() for name in names.values()}) == len(images)
    assert all(name.partition(".")[0].lower() not in ("con", "nul") for name in names.values())
    assert exporting.file_names(reversed(images)) == names
