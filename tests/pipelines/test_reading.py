"""What is in an image's bytes is final; what a disk or network did is tried again, in the same run and by the next."""

import errno
import shutil

import pytest
from click import ClickException
from small_project import kedro_run
from tiny_project import make_tiny_project

from images.pictures import write_pictures
from mps_study.compute import reading
from mps_study.compute.reading import Reader, UnreadError
from mps_study.datasets.failures import FailureNotes
from mps_study.datasets.images import ImageFiles
from mps_study.datasets.records.store import MpsRecords
from mps_study.mps.types import FAILED


class Disk(dict):
    """Bytes by file name, of which some cannot be had so many times."""

    def __init__(self, files, refused):
        super().__init__(files)
        self.refused = dict(refused)

    def __getitem__(self, file):
        if self.refused.get(file, 0):
            self.refused[file] -= 1
            raise OSError(errno.EIO, "Input/output error") if file == "b" else KeyError(f"image file {file} is missing")
        return super().__getitem__(file)


@pytest.fixture
def bytes_of(tmp_path):
    """Encoded images by name."""
    write_pictures(tmp_path, "a.png", "b.png", "c.png")
    return {name: (tmp_path / f"{name}.png").read_bytes() for name in "abc"}


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """Notes the pauses, and makes none."""
    made = []
    monkeypatch.setattr(reading.time, "sleep", made.append)
    return made


WANTED = [(f"image {name}", name) for name in "abc"]


@pytest.mark.parametrize("file", ["a", "b"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_cannot_be_read_for_a_moment_comes_last_and_is_no_failure(bytes_of, pauses, file, times):
    reader = Reader(Disk(bytes_of, {file: times}), WANTED)
    read = [image for image, _ in reader]
    assert sorted(read) == ["image a", "image b", "image c"] and read[-1] == f"image {file}"
    assert (reader.failed, reader.unread) == ({}, {})
    assert pauses == [0.0, *reading.PAUSES[:times]]
    reader.check("kedro run")


def test_what_cannot_be_read_at_all_is_told_with_what_to_do(bytes_of):
    reader = Reader(Disk(bytes_of, {"b": 9}), WANTED)
    assert [image for image, _ in reader] == ["image a", "image c"]
    says = r"1 images could not be read.*tried 4 times.*first is image b: .*Input/output error; .*`kedro run x` tries"
    with pytest.raises(UnreadError, match=says):
        reader.check("kedro run x")


def test_what_is_in_the_bytes_is_final_and_asked_once(bytes_of, pauses):
    reader = Reader(bytes_of | {"b": b"no image"}, WANTED)
    assert [image for image, _ in reader] == ["image a", "image c"]
    assert list(reader.failed) == ["image b"] and not reader.unread
    assert pauses == [0.0]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A study whose models are exported."""
    folder = make_tiny_project(tmp_path_factory.mktemp("tiny") / "project")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("DO_NOT_TRACK", "true")
    kedro_run(folder, env="tiny", pipelines=["model_export"])
    patch.undo()
    return folder


@pytest.fixture
def project(exported, tmp_path, monkeypatch):
    """A copy of it."""
    copy = tmp_path / "project"
    shutil.copytree(exported, copy, symlinks=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    return copy


def records(project):
    """The store's records of the model, and whether they are all."""
    store = MpsRecords(str(project / "data/tiny/05_mps_records")).load()
    (mark,) = {path.name for path in (project / "data/tiny/05_mps_records/one").iterdir()}
    return store.read("one", mark), store.is_complete("one", mark)


def test_an_error_of_the_disk_that_passes_leaves_nothing_behind(project, monkeypatch):
    read, refused = ImageFiles.__getitem__, []

    def sometimes(self, file):
        if not refused:
            refused.append(file)
            raise OSError(errno.EIO, "Input/output error")
        return read(self, file)

    monkeypatch.setattr(ImageFiles, "__getitem__", sometimes)
    kedro_run(project, env="tiny", pipelines=["mps_extraction"])
    found, complete = records(project)
    assert complete and len(found) == 5 and FAILED not in set(found["status"])


def test_an_image_that_stays_away_has_no_record_and_the_next_run_makes_it(project, monkeypatch):
    gone = sorted((project / "data/tiny/01_images").rglob("*.png"))[2].name
    read = ImageFiles.__getitem__

    def without(self, file):
        if file == gone:
            raise KeyError(f"image file {file} is missing")
        return read(self, file)

    monkeypatch.setattr(ImageFiles, "__getitem__", without)
    with pytest.raises(ClickException, match=rf"one: 1 images could not be read.*{gone} is missing.*`kedro run"):
        kedro_run(project, env="tiny", pipelines=["mps_extraction"])
    found, complete = records(project)
    assert not complete and len(found) == 4 and FAILED not in set(found["status"])
    notes = FailureNotes(str(project / "data/tiny/failures"))
    assert list(notes.load()) == [("mps_extraction", "one")]
    monkeypatch.setattr(ImageFiles, "__getitem__", read)
    kedro_run(project, env="tiny", pipelines=["mps_extraction"])
    found, complete = records(project)
    assert complete and len(found) == 5 and FAILED not in set(found["status"])
    assert notes.load() == {}
