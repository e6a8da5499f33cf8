"""Caltech-256 as its archive unpacks."""

import pytest

from images.pictures import write_pictures
from mps_study.images.candidates import SourceError
from mps_study.images.sources import candidates_of


@pytest.fixture
def caltech(tmp_path):
    """Four classes, clutter, and stray files such as the real archive has."""
    write_pictures(
        tmp_path / "256_ObjectCategories",
        *("001.ak47/001_0001.jpg", "001.ak47/001_0002.jpg", "056.dog/056_0001.jpg", "251.airplanes-101/251_0001.jpg"),
        *("256.toad/256_0001.jpg", "257.clutter/257_0001.jpg", "056.dog/greg/vision309/hog.jpg"),
    )
    (tmp_path / "256_ObjectCategories/198.spider").mkdir()
    (tmp_path / "256_ObjectCategories/198.spider/RENAME2").write_text("mv a b\n")
    return tmp_path


@pytest.mark.parametrize("below", ["", "256_ObjectCategories"])
def test_the_class_index_is_the_folders_number_less_one_and_clutter_is_left_out(caltech, below):
    found = candidates_of({"kind": "caltech256", "path": str(caltech / below)})
    assert [(c.image, c.label, c.class_name) for c in found] == [
        ("001.ak47/001_0001.jpg", 0, "ak47"),
        ("001.ak47/001_0002.jpg", 0, "ak47"),
        ("056.dog/056_0001.jpg", 55, "dog"),
        ("251.airplanes-101/251_0001.jpg", 250, "airplanes-101"),
        ("256.toad/256_0001.jpg", 255, "toad"),
    ]


def test_a_folder_without_caltechs_numbers_is_refused(tmp_path):
    write_pictures(tmp_path, "ak47/1.jpg", "257.clutter/1.jpg")
    with pytest.raises(SourceError, match=r"Caltech-256 is not at .*looked for 256_ObjectCategories/001.ak47"):
        candidates_of({"kind": "caltech256", "path": str(tmp_path)})
