"""A claim is held by one process, ends with it however it ends, and leaves no unfinished work."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mps_study.datasets.claims import ClaimedError, ClaimFolder

HOLD = """
import sys, time
from mps_study.datasets.claims import Claims
from pathlib import Path
with Claims(Path(sys.argv[1])).claim("mps_extraction/m") as workplace:
    (workplace / "half").write_text("half")
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def claims(tmp_path):
    """Claims of a study."""
    return ClaimFolder(str(tmp_path / "study/claims")).load()


@pytest.fixture
def other(tmp_path):
    """Another process that holds a claim."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "study/claims")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_is_told_who_holds_it(claims, other):
    held = rf"mps_extraction/m is held by process {other.pid} on .+ since 20\d\d-"
    with pytest.raises(ClaimedError, match=held), claims.claim("mps_extraction/m"):
        pass
    with claims.claim("mps_extraction/another"):
        pass


def test_a_claim_ends_with_its_process_and_its_workplace_is_found_empty(claims, other, tmp_path):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / "study/claims/mps_extraction/m/half").exists()
    with claims.claim("mps_extraction/m") as workplace:
        assert list(workplace.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "study/claims").rglob("*")) == ["m.lock", "mps_extraction"]


def test_whether_a_claim_is_free_is_seen_and_left_so(claims, other, tmp_path):
    with pytest.raises(ClaimedError, match=f"held by process {other.pid}"):
        claims.check_free("mps_extraction/m")
    claims.check_free("mps_extraction/another")
    other.kill()
    other.wait()
    assert (tmp_path / "study/claims/mps_extraction/m.holder.json").exists()
    claims.check_free("mps_extraction/m")
    with claims.claim("mps_extraction/m"):
        pass


def test_a_claim_ends_when_its_work_fails(claims):
    with pytest.raises(ZeroDivisionError), claims.claim("reporting"):
        _ = 1 / 0
    with claims.claim("reporting"):
        pass


def test_a_claim_may_end_in_another_thread_than_it_began(claims):
    """As where a generator that holds it is closed by whoever reads it last."""
    held = claims.claim("reporting")
    held.__enter__()
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(held.__exit__, None, None, None).result()
    with claims.claim("reporting"):
        pass


def test_a_folder_that_cannot_be_written_to_is_found(claims, tmp_path, monkeypatch):
    assert claims.unwritable() is None
    records = tmp_path / "study/records"
    records.mkdir(parents=True)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != records and real(path, mode))
    assert claims.unwritable() == records


PARTS = "mps_extraction/m, study"


def part(claims, number, of):
    """A claim of a part of `m`."""
    return claims.claim_part("mps_extraction/m", PARTS, number, of)


def test_parts_are_held_beside_each_other_each_by_one(claims):
    told = pytest.raises(ClaimedError, match="m, study, 2 of 3 is held by process")
    with part(claims, 1, 3), part(claims, 2, 3), told, part(claims, 2, 3):
        pass
    with part(claims, 2, 3):
        pass


def test_a_part_and_the_whole_exclude_each_other(claims):
    whole = ("mps_extraction/m", PARTS)
    told = pytest.raises(ClaimedError, match="m, study, 3 of 16 is held")
    with part(claims, 3, 16), told, claims.claim_whole(*whole):
        pass
    told = pytest.raises(ClaimedError, match="mps_extraction/m is held")
    with claims.claim_whole(*whole), told, part(claims, 3, 16):
        pass
    with claims.claim_whole(*whole), claims.claim_whole("mps_extraction/n", "mps_extraction/n, study"):
        pass


def test_parts_of_another_division_have_images_in_common_and_are_refused(claims):
    with part(claims, 3, 16), pytest.raises(ClaimedError, match="m, study, 3 of 16 is held"), part(claims, 1, 6):
        pass
    with part(claims, 1, 6):
        pass


def test_a_whole_that_another_process_holds_refuses_parts_until_that_is_gone(claims, other):
    with pytest.raises(ClaimedError, match=f"held by process {other.pid}"), part(claims, 1, 2):
        pass
    other.kill()
    other.wait()
    with part(claims, 1, 2):
        pass
