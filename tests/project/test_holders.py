"""Who holds a claim is read without touching its lock, and a killed process is told from one that lives."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from mps_study.datasets.claims import Claims
from mps_study.project.holders import LOCKS, holders

HOLD = """
import sys, time
from mps_study.datasets.claims import Claims
from pathlib import Path
with Claims(Path(sys.argv[1])).claim("mps_extraction/m, minimal"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds a claim."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def tampered(folder, **facts):
    """The holder's file of `folder`, which now says something else."""
    file = folder / "mps_extraction/m, minimal.holder.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def test_a_holder_lives_until_it_is_killed(other, tmp_path):
    (found,) = holders(tmp_path)
    assert (found.name, found.process, found.host) == ("mps_extraction/m, minimal", other.pid, socket.gethostname())
    assert found.alive is True
    assert found.since.startswith("20") and found.claimed > 0
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    (found,) = holders(tmp_path)
    assert found.alive is False


@pytest.mark.skipif(not LOCKS.exists(), reason="this system does not list its locks")
def test_another_process_that_now_has_the_number_does_not_hold_it(other, tmp_path):
    tampered(tmp_path, process=os.getpid())
    assert [found.alive for found in holders(tmp_path)] == [False]


def test_a_holder_on_another_machine_cannot_be_checked(other, tmp_path):
    tampered(tmp_path, host="elsewhere")
    assert [found.alive for found in holders(tmp_path)] == [None]


def test_looking_does_not_touch_the_lock(tmp_path, monkeypatch):
    """Somebody who looks while the claim is taken must not make it fail: he may not even open the lock's file."""
    opened = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    with Claims(tmp_path).claim("reporting"):
        opened.clear()
        assert [found.name for found in holders(tmp_path)] == ["reporting"]
    assert not [path for path in opened[:20] if path.endswith("reporting.lock")]
    assert list(holders(tmp_path)) == []


def test_files_that_are_half_written_or_gone_are_passed_over(tmp_path):
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage/a.holder.json").write_text('{"process": 1')
    (tmp_path / "stage/b.holder.json").write_text('{"process": 1}')
    (tmp_path / "stage/c.holder.json").write_text("[]")
    assert list(holders(tmp_path)) == []
    assert list(holders(tmp_path / "absent")) == []
