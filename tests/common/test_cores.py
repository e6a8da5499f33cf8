"""As many workers as there are cores to use, not as many as the machine has."""

import os

import pytest

from mps_study.common import cores as module
from mps_study.common.cores import cores, quota

VERSION_1 = {"cpu/job/cpu.cfs_quota_us": "400000", "cpu/job/cpu.cfs_period_us": "100000"}


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes control groups: where this process is, and files by their path."""

    def write(own, files):
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            (tmp_path / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "cgroup" / name).write_text(text)

    monkeypatch.setattr(module, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(module, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    return write


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "20000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 64),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}, 64),
        ("0::/job/step\n", {"job/cpu.max": "300000 100000\n", "job/step/cpu.max": "max 100000\n"}, 3),
        ("0::/job/step\n", {"job/cpu.max": "300000 100000\n", "job/step/cpu.max": "100000 50000\n"}, 2),
        ("4:memory:/\n1:cpu,cpuacct:/job\n", VERSION_1, 4),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ("0::/\n", {"cpu.max": "what?\n"}, 64),
        ("", {}, 64),
    ],
)
def test_a_quota_of_the_container_or_job_counts(groups, own, files, expected):
    groups(own, files)
    assert cores() == expected


def test_without_control_groups_affinity_counts(groups):
    assert quota() == float("inf")
    assert cores() == 64
