"""Trials other than kills: Ctrl-C, two processes at once, a full disk, a folder without permission, memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from project import STUDY, differences, leftovers, make_project, records, run, start

RECORDS = f"data/{STUDY}/05_mps_records"
SEARCH = ("mps_extraction", "metrics", "statistics", "reporting")


def _without_records(folder: Path, whole: Path, name: str) -> Path:
    """A copy of the finished study, which has to search and report again."""
    project = folder / name
    shutil.copytree(whole, project, symlinks=True)
    for path in (RECORDS, f"data/{STUDY}/06_measures", f"data/{STUDY}/07_statistics", f"data/{STUDY}/08_report"):
        shutil.rmtree(project / path)
    return project


def _same(whole: Path, project: Path) -> None:
    wrong = differences(whole, project) + [f"left over: {path}" for path in leftovers(project)]
    if wrong:
        raise AssertionError("\n".join(wrong))


def interrupt(folder: Path, whole: Path) -> list[str]:
    """Ctrl-C while it searches and while it trains: how long until it is gone, and what is left."""
    took = {}
    for stage in ("mps_extraction", "fine_tuning"):
        project = _without_records(folder, whole, f"interrupted_{stage}")
        if stage == "fine_tuning":
            shutil.rmtree(project / f"data/{STUDY}/03_checkpoints")
        started = start(project, stage)
        started.wait_for_work(project, stage)
        time.sleep(0.5)
        assert started.process.poll() is None, f"{stage} was done before Ctrl-C"
        began = time.perf_counter()
        started.kill(signal.SIGINT)
        code = started.wait()
        took[stage] = time.perf_counter() - began
        assert code != 0, f"{stage} ended with 0 after Ctrl-C"
        assert took[stage] < 5, f"{stage} took {took[stage]:.1f} s to end after Ctrl-C"
        run(project)
        _same(whole, project)
    return [f"Ctrl-C in {stage}: gone after {seconds:.1f} s, ended equal to the bit" for stage, seconds in took.items()]


def twice(folder: Path, whole: Path) -> list[str]:
    """Two searches of one study at the same moment."""
    project = _without_records(folder, whole, "twice")
    both = [start(project, "mps_extraction") for _ in range(2)]
    codes = [each.wait() for each in both]
    found = records(project)
    assert not found.duplicated(["model", "fingerprint", "image"]).any(), "an image was searched twice"
    run(project, *SEARCH)
    _same(whole, project)
    held = [line.strip() for each in both for line in each.lines if "is held by process" in line]
    return [f"exit codes {codes}, {len(held)} lines said who holds a model; no image twice, all equal to the bit"]


def disk(folder: Path, whole: Path) -> list[str]:
    """A disk that is full in the middle of the search; a folder that cannot be written to."""
    told = []
    project = _without_records(folder, whole, "full")
    store = project / RECORDS
    store.mkdir(parents=True)
    if not _mount("-t", "tmpfs", "-o", "size=200k", "tmpfs", store):
        told.append("full disk: not tried, this user may not mount a small file system")
    else:
        try:
            started = start(project, "mps_extraction")
            assert started.wait() == 1, f"a full disk went unnoticed:\n{started.text[-2000:]}"
            assert "No space left on device" in started.text, started.text[-2000:]
            assert "what is finished is kept" in started.text, started.text[-2000:]
            kept = len(records(project))
            assert _mount("-o", "remount,size=50m", store)
            run(project, *SEARCH)
            _same(whole, project)
        finally:
            subprocess.run(["umount", "-l", str(store)], check=False)
        told.append(f"full disk, on another file system: told, {kept} records kept, with room ended equal to the bit")
    project = _without_records(folder, whole, "forbidden")
    data = project / "data"
    if _mount("--bind", data, data) and _mount("-o", "remount,bind,ro", data):
        try:
            started = start(project, "mps_extraction")
            assert started.wait() == 1, started.text[-2000:]
            assert "cannot be written to" in started.text and "Traceback" not in started.text, started.text[-2000:]
        finally:
            subprocess.run(["umount", "-l", str(data)], check=False)
        told.append("a read-only folder: told in one line before any work")
    else:
        told.append("a read-only folder: not tried, this user may not mount")
    return told


def _mount(*arguments: str | Path) -> bool:
    """Whether the mount worked; it takes a privileged user."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode == 0


def memory(folder: Path) -> list[str]:
    """Peak resident memory of a search of 20 and of 200 images."""
    peaks = {}
    for images in (20, 200):
        project = make_project(folder / f"memory{images}", ("resnet_b",), images // 2, iterations=1)
        run(project, "model_export")
        started = start(project, "mps_extraction")
        _, status, used = os.wait4(started.process.pid, 0)
        assert status == 0, started.text[-2000:]
        assert len(records(project)) == images
        peaks[images] = used.ru_maxrss / 1024
    ratio = peaks[200] / peaks[20]
    assert ratio < 1.1, f"peak memory grew: {peaks}"
    return [f"peak {peaks[20]:.0f} MB with 20 images, {peaks[200]:.0f} MB with 200, ratio {ratio:.3f}"]
