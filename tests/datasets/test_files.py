"""Files are whole or absent, frames and figures and models with them."""

import errno
import os

import pandas as pd
import pytest
from kedro.io import Version
from kedro.io.core import generate_timestamp

from mps_study.datasets.failures import FailureNotes
from mps_study.datasets.files import copy_atomically, sweep, write_bytes
from mps_study.datasets.frames import UNCHANGED, Frame, KeptFrame, OptionalFrame
from mps_study.datasets.page import Page


def full(*_):
    """As a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    target = tmp_path / "file"
    write_bytes(target, b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_whoever_reads_the_old_file_reads_it_to_its_end(tmp_path):
    """The new one is renamed into its place, and not written over it."""
    target = tmp_path / "file"
    write_bytes(target, b"old")
    with target.open("rb") as reader:
        write_bytes(target, b"new")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"


def test_a_copy_is_whole_or_absent(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.write_bytes(b"x" * 1000)
    copy_atomically(source, tmp_path / "there/copy")
    assert (tmp_path / "there/copy").read_bytes() == source.read_bytes()
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        copy_atomically(source, tmp_path / "there/second")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["copy"]


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o027, 0o640), (0o022, 0o644), (0o002, 0o664)])
def test_who_may_read_a_file_is_the_umasks_word(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "file", b"new")
        copy_atomically(tmp_path / "file", tmp_path / "copy")
    finally:
        os.umask(before)
    assert [oct((tmp_path / name).stat().st_mode & 0o777) for name in ("file", "copy")] == [oct(mode)] * 2


def test_what_is_synced_is_open_for_writing_as_windows_demands(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    modes = []
    monkeypatch.setattr(os, "fsync", lambda handle: modes.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE))
    write_bytes(tmp_path / "file", b"new")
    assert modes == [os.O_RDWR]
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.fixture
def open_elsewhere(monkeypatch):
    """As on Windows while another process has a file open: `replace` is refused so many times; what was waited."""
    waited, times = [], {"refused": 0}

    def refuses(times_refused):
        times["refused"] = times_refused
        return waited

    def replace(self, target):
        if times["refused"]:
            times["refused"] -= 1
            raise PermissionError(errno.EACCES, "Access is denied", str(self), 5, str(target))
        self.rename(target)
        return target

    monkeypatch.setattr("pathlib.Path.replace", replace)
    monkeypatch.setattr("time.sleep", waited.append)
    return refuses


def test_a_file_that_is_open_elsewhere_is_replaced_once_it_is_closed(tmp_path, open_elsewhere):
    write_bytes(tmp_path / "file", b"old")
    waited = open_elsewhere(3)
    write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert len(waited) == 3


def test_one_that_stays_open_is_named_within_a_second_and_left_as_it_was(tmp_path, open_elsewhere):
    write_bytes(tmp_path / "file", b"old")
    waited = open_elsewhere(1000)
    with pytest.raises(PermissionError, match=r"close it there and run again: '.*/file'"):
        write_bytes(tmp_path / "file", b"new")
    assert 0.5 < sum(waited) <= 1
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_swept_is_said(tmp_path, caplog):
    (tmp_path / "a.onnx123.partial").touch()
    (tmp_path / "b.onnx123.partial").touch()
    (tmp_path / "a.onnx").touch()
    sweep(tmp_path, "a.onnx*")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "b.onnx123.partial"]
    assert "removed 1 half-written files" in caplog.text


def test_a_half_written_frame_is_not_the_newest(tmp_path):
    path = tmp_path / "areas.parquet"

    def dataset():
        version = Version(None, generate_timestamp())
        return Frame(filepath=str(path), version=version, save_args={"index": False})

    first = pd.DataFrame({"x": [1.5, 2.5]})
    dataset().save(first)
    killed = path / "2099-01-01T00.00.00.000Z" / "areas.parquetabc.partial"
    killed.parent.mkdir()
    killed.write_bytes(b"PAR1 and no more")
    pd.testing.assert_frame_equal(dataset().load(), first)
    second = dataset()
    second.save(first * 2)
    pd.testing.assert_frame_equal(second.load(), first * 2)
    assert not list(path.rglob("*.partial"))


def test_a_frame_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    path = tmp_path / "areas.parquet"
    first = pd.DataFrame({"x": [1.5]})
    Frame(filepath=str(path), version=Version(None, None)).save(first)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left"):
        Frame(filepath=str(path), version=Version(None, "2099-01-01T00.00.00.000Z")).save(first * 2)
    pd.testing.assert_frame_equal(Frame(filepath=str(path), version=Version(None, None)).load(), first)


def test_a_frame_that_is_up_to_date_keeps_its_newest_version(tmp_path):
    def kept(stamp):
        return KeptFrame(filepath=str(tmp_path / "manifest.parquet"), version=Version(None, stamp), optional=True)

    assert kept(None).load().empty
    frame = pd.DataFrame({"image": ["a"]})
    kept("2026-01-01T00.00.00.000Z").save(frame)
    kept("2026-01-02T00.00.00.000Z").save(UNCHANGED)
    pd.testing.assert_frame_equal(kept(None).load(), frame)
    none = frame[:0]
    kept("2026-01-03T00.00.00.000Z").save(none)  # a sample of no images is one
    pd.testing.assert_frame_equal(kept(None).load(), none)


def test_a_page_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch):
    page = Page(filepath=str(tmp_path / "report.html"))
    page.save("old, with umlauts: äöü")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left"):
        page.save("new")
    assert page.load() == "old, with umlauts: äöü"


def test_a_failure_stands_until_its_stage_succeeds(tmp_path):
    notes = FailureNotes(str(tmp_path))
    notes.save({("model_export", "a"): "no weights", ("mps_extraction", "b"): None})
    assert notes.load() == {("model_export", "a"): "no weights"}
    notes.save({("model_export", "a"): None})
    assert notes.load() == {}


def test_a_frame_of_another_study_is_empty_until_that_study_has_made_it(tmp_path):
    def there():
        return OptionalFrame(filepath=str(tmp_path / "summary.parquet"), version=Version(None, None))

    assert there().load().empty
    summary = pd.DataFrame({"model": ["a"], "accuracy": [0.5]})
    Frame(filepath=str(tmp_path / "summary.parquet"), version=Version(None, "2026-01-01T00.00.00.000Z")).save(summary)
    pd.testing.assert_frame_equal(there().load(), summary)
