"""What only Linux has is not there, as on Windows or macOS: each call has another way, and takes it."""

import multiprocessing
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mps_study.common import cores as core_count
from mps_study.datasets.claims import Claims
from mps_study.hooks import paths
from mps_study.hooks.paths import path_fault
from mps_study.models.inference import devices, throughput
from mps_study.project import holders as held

WINDOWS = SimpleNamespace(name="nt", sep="\\")


def test_without_affinity_the_machines_processors_count(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    monkeypatch.setattr(core_count, "OWN_GROUPS", tmp_path / "none")
    monkeypatch.delenv(core_count.ALLOWED, raising=False)
    assert core_count.cores() == 12
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count.cores() == 1


def test_without_a_list_of_locks_a_living_process_holds_its_claim(monkeypatch, tmp_path):
    monkeypatch.setattr(held, "LOCKS", tmp_path / "none")
    with Claims(tmp_path).claim("reporting"):
        assert [each.alive for each in held.holders(tmp_path)] == [True]
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        file = tmp_path / "reporting.holder.json"
        file.write_text(file.read_text().replace(f'"process": {os.getpid()}', f'"process": {ended.pid}'))
        assert [each.alive for each in held.holders(tmp_path)] == [False]


def test_on_windows_nobody_is_sent_a_signal_to_see_whether_he_lives(monkeypatch, tmp_path):
    """`os.kill` with 0 would be Ctrl-C there."""
    with Claims(tmp_path).claim("reporting"):
        monkeypatch.setattr(held, "os", WINDOWS)  # it has no `kill`
        assert [each.alive for each in held.holders(tmp_path)] == [None]


def test_without_flock_a_claim_is_still_one_processs(tmp_path):
    """A process that has no `fcntl`, as on a file system without flock: filelock makes a lock of the file itself."""
    code = (
        "import sys, warnings; sys.modules['fcntl'] = None; warnings.simplefilter('ignore')\n"
        "from pathlib import Path\n"
        "from mps_study.datasets.claims import ClaimedError, Claims\n"
        "with Claims(Path(sys.argv[1])).claim('reporting'):\n"
        "    try:\n"
        "        with Claims(Path(sys.argv[1])).claim('reporting'): print('both')\n"
        "    except ClaimedError as error: print(error)\n"
        "with Claims(Path(sys.argv[1])).claim('reporting'): print('again')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("reporting is held by process ") and second == "again", done.stderr


def test_without_sigkill_workers_are_ended_by_what_windows_has(monkeypatch):
    cluster = pytest.importorskip("mps_study.compute.on_dask.cluster")
    monkeypatch.setattr(cluster, "signal", SimpleNamespace(SIGTERM=signal.SIGTERM))
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    nanny = SimpleNamespace(auto_restart=True, process=SimpleNamespace(process=worker))
    cluster._kill(SimpleNamespace(workers={0: nanny}))
    assert worker.wait(timeout=10) == -signal.SIGTERM
    assert nanny.auto_restart is False


def test_workers_are_spawned_as_windows_and_macos_do_and_not_forked():
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    assert dask.config.get("distributed.worker.multiprocessing-method") == "spawn"
    assert "spawn" in multiprocessing.get_all_start_methods()


def smi(folder, monkeypatch, text, code=0):
    """The only program on the PATH: an `nvidia-smi` that says this."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n/bin/echo '{text}'\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.skipif(os.name == "nt", reason="the program is made up as a shell's script")
def test_without_proc_gpus_and_driver_are_asked_of_nvidia_smi(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "NVIDIA", tmp_path / "none")
    smi(tmp_path, monkeypatch, "NVIDIA A100\nNVIDIA T4")
    assert devices.gpu_names() == ["NVIDIA A100", "NVIDIA T4"]
    assert throughput.processor("cuda") == "NVIDIA A100 and NVIDIA T4"
    smi(tmp_path, monkeypatch, "551.23")
    assert devices.driver() == "551.23"
    smi(tmp_path, monkeypatch, "No devices were found", code=6)
    assert (devices.gpu_names(), devices.driver()) == ([], "")
    monkeypatch.setenv("PATH", "")
    assert (devices.gpu_names(), devices.driver()) == ([], "")
    assert throughput.processor("cuda") == "a CUDA device"


def test_gpus_of_a_cluster_are_counted_without_proc(monkeypatch):
    cluster = pytest.importorskip("mps_study.compute.on_dask.cluster")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(cluster, "gpu_names", lambda: ["NVIDIA A100", "NVIDIA T4"])
    assert cluster.gpus_here() == ["0", "1"]


def test_without_proc_the_processor_is_named_by_python(monkeypatch, tmp_path):
    monkeypatch.setattr(throughput, "PROCESSORS", tmp_path / "none")
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert throughput.processor("cpu") == "arm"
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert throughput.processor("cpu") == "arm64"


class Registry:
    """Windows' registry, which allows long paths or does not; without the key if it is None."""

    HKEY_LOCAL_MACHINE = 0

    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def OpenKey(self, *_):
        return self

    def QueryValueEx(self, *_):
        if self.value is None:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return self.value, 4


@pytest.mark.parametrize("registry", [None, Registry(None), Registry(0)])
def test_a_path_that_windows_would_cut_off_is_told_before_any_work(monkeypatch, tmp_path, registry):
    monkeypatch.setattr(paths, "os", WINDOWS)
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert path_fault(tmp_path / "base", ["vit"], ["study"]) is None
    told = path_fault(tmp_path / ("deep" * 50) / "base", ["vit"], ["study"])
    assert "Windows takes 259 here" in told and "\n" not in told
    assert path_fault(tmp_path / "base", ["vit"], ["study", "s" * 200]).endswith("(LongPathsEnabled in the registry)")


def test_long_paths_are_no_fault_where_they_are_allowed(monkeypatch, tmp_path):
    deep = tmp_path / ("deep" * 50)
    assert path_fault(deep, ["vit"], ["study"]) is None  # this is no Windows
    monkeypatch.setattr(paths, "os", WINDOWS)
    monkeypatch.setitem(sys.modules, "winreg", Registry(1))
    assert path_fault(deep, ["vit"], ["study"]) is None
