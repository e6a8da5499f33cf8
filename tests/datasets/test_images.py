"""Drawn images by the digest of their bytes, and the sample that they belong to."""

import pandas as pd
import pytest
from kedro.io import DatasetError, Version

from mps_study.datasets.frames import Frame
from mps_study.datasets.images import ImageStore
from mps_study.datasets.samples import SampleSoFar, with_request


@pytest.fixture
def store(tmp_path):
    """A store with two images."""
    dataset = ImageStore(str(tmp_path / "images"))
    with pytest.raises(DatasetError, match=r"no images in .*`kedro run"):
        dataset.load()
    dataset.save({"ab.png": b"one", "cd.png": b"two"})
    return dataset


def test_images_that_are_there_are_left(store, tmp_path):
    before = (tmp_path / "images/ab/ab.png").stat().st_ino
    store.save({"ab.png": b"one", "ef.png": b"three"})
    assert (tmp_path / "images/ab/ab.png").stat().st_ino == before
    assert dict(store.load()) == {"ab.png": b"one", "cd.png": b"two", "ef.png": b"three"}


def test_what_is_half_written_is_no_image_and_is_swept(store, tmp_path):
    half = tmp_path / "images/ab/abc.png1234.partial"
    half.write_bytes(b"o")
    assert list(store.load()) == ["ab.png", "cd.png"]
    with pytest.raises(KeyError, match=r"image file abc\.png is missing"):
        store.load()["abc.png"]
    store.save({})
    assert not half.exists()


def test_a_sample_is_there_when_its_request_and_all_its_images_are(store, tmp_path):
    sample = SampleSoFar(str(tmp_path / "manifest.parquet"), str(tmp_path / "images")).load()
    request = {"seed": 3}
    assert sample.manifest().empty and sample.drawn_for(request) is None
    manifest = with_request(pd.DataFrame({"image": ["a", "b"], "file": ["ab.png", "cd.png"]}), request)
    version = Version(None, "2026-01-01T00.00.00.000Z")
    Frame(filepath=str(tmp_path / "manifest.parquet"), version=version).save(manifest)
    assert list(sample.drawn_for(request)["image"]) == ["a", "b"]
    assert sample.drawn_for({"seed": 4}) is None
    (tmp_path / "images/cd/cd.png").unlink()
    assert sample.drawn_for(request) is None
