"""Whoever works, and whatever becomes of them: the same records, each once."""

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest
from distributed import Security, Status
from jobs_of import (
    MINIMAL,
    REX,
    all_of,
    job_of,
    killed_by_poison,
    killed_once,
    pictures,
    same,
    slowly,
    without_disk,
    work_of,
)

from mps_study.compute.asking import Asking, certificates
from mps_study.compute.closing import all_closed
from mps_study.compute.here import Here
from mps_study.compute.jobs import LostError
from mps_study.compute.on_dask import cluster, fetching
from mps_study.compute.on_dask.cluster import OnDask, local_cluster, scheduler_at
from mps_study.mps.types import FAILED


@pytest.fixture(scope="module")
def client():
    """A client of two local workers."""
    with local_cluster(Asking("cpu"), 2) as client:
        yield client


class Kept:
    """A client that somebody else opened and will close."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        pass


def jobs(folder):
    """One job a search."""
    named = {"rex": REX, "minimal": MINIMAL}
    return [replace(job_of(folder), name=name, search=search) for name, search in named.items()]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What is found in this process, one mutant at a time."""
    folder = tmp_path_factory.mktemp("here")
    asking = Asking("cpu", batch_size=1, workers=1, in_flight=1)
    return all_of(Here(), [work_of(replace(job, asking=asking), pictures(12)) for job in jobs(folder)])[0]


def works(folder, **asking):
    """The same work, asked otherwise."""
    given = {"batch_size": 8, "workers": 2} | asking
    return [work_of(replace(job, asking=Asking("cpu", **given)), pictures(12)) for job in jobs(folder)]


def test_threads_find_what_one_at_a_time_finds(here, tmp_path):
    found, errors = all_of(Here(), works(tmp_path))
    same(found, here)
    assert not errors


def test_two_workers_find_what_one_process_finds(client, here, tmp_path):
    found, errors = all_of(OnDask(Kept(client)), works(tmp_path))
    same(found, here)
    assert not errors
    assert client.status == "running", "a client that somebody else opened was closed"


def test_a_worker_that_is_killed_costs_nothing_but_time(client, here, tmp_path, caplog):
    found, errors = all_of(OnDask(Kept(client), killed_once), works(tmp_path))
    same(found, here)
    assert not errors
    assert "is gone; its" in caplog.text


def test_an_image_that_takes_its_workers_with_it_becomes_a_failed_record_and_all_others_are_found(
    client, here, tmp_path
):
    work = works(tmp_path)[0]
    found, errors = all_of(OnDask(Kept(client), killed_by_poison), [work])
    poison = found.pop(("rex", "image 005"))
    assert poison.status == FAILED and "3 workers went away" in poison.reason
    same(found, {key: r for key, r in here.items() if key[0] == "rex" and key[1] != "image 005"})
    assert not errors


def test_a_model_that_cannot_be_opened_is_told_and_the_others_go_on(client, here, tmp_path):
    bad = work_of(job_of(tmp_path, "bad"), pictures(12))
    bad.job.model.write_bytes(b"no model")
    card = bad.job.card.model_copy(update={"digest": fetching.digest_of_files(bad.job.model)})
    bad = replace(bad, job=replace(bad.job, card=card))
    found, errors = all_of(OnDask(Kept(client)), [bad, *works(tmp_path)])
    same(found, here)
    assert list(errors) == ["bad"] and "bad.onnx" in str(errors["bad"])


def test_a_model_that_a_worker_cannot_see_is_sent_to_it_once_and_checked(client, here, tmp_path, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(fetching, "BLOCK", 100)  # several blocks, even of a small model
    job = job_of(tmp_path, "weighty", external="weighty.onnx.data")
    both = [replace(job, name=name, search=search) for name, search in (("rex", REX), ("minimal", MINIMAL))]
    found, errors = all_of(OnDask(Kept(client), without_disk), [work_of(each, pictures(12)) for each in both])
    same(found, here)
    assert not errors
    assert 1 <= caplog.text.count("which cannot see it") <= 2  # the two workers share a cache


def test_what_did_not_arrive_as_it_was_sent_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path))
    digest = "0" * 64
    folder = fetching.begin_fetching(digest)
    fetching.take_block(folder, "m.onnx", b"something else")
    with pytest.raises(ValueError, match="did not arrive as it was sent"):
        fetching.end_fetching(folder, digest, "m.onnx")
    assert [path for path in (tmp_path / "models").rglob("*") if path.is_file()] == []
    with pytest.raises(ValueError, match="must lie beside the model"):
        fetching.take_block(folder, "../m.onnx", b"")


def test_a_process_that_dask_does_not_start_again_is_started_anyway(monkeypatch, caplog):
    """Its nanny takes it for one that is still starting, as where it dies before the nanny has heard that it is up."""
    monkeypatch.setattr(cluster, "REVIVE_SECONDS", 1)
    with local_cluster(Asking("cpu"), 1) as client:
        (nanny,) = client.cluster.workers.values()
        (first,) = client.nthreads()
        nanny.status = Status.starting
        os.kill(nanny.process.pid, 9)
        end = time.monotonic() + 60
        while not client.nthreads().keys() - {first} and time.monotonic() < end:
            time.sleep(0.2)
        (second,) = client.nthreads()
        assert second != first and client.submit(int, "7").result(timeout=30) == 7
    assert "stays away; another is started" in caplog.text


def test_a_local_cluster_listens_on_the_loopback_alone_and_leaves_no_process():
    with local_cluster(Asking("cpu"), 1) as client:
        assert next(iter(client.nthreads())).startswith("tls://127.0.0.1:")
        children = psutil.Process().children(recursive=True)
        listening = [c for p in (psutil.Process(), *children) for c in p.net_connections() if c.status == "LISTEN"]
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        (worker,) = client.run(os.getpid).values()
    time.sleep(0.5)
    assert not psutil.pid_exists(worker) or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE


def test_a_run_that_ends_while_what_was_found_is_being_saved_closes_what_it_has_opened(tmp_path):
    children = set(psutil.Process().children(recursive=True))
    with all_closed():
        found = OnDask(local_cluster(Asking("cpu"), 1), slowly).run([work_of(job_of(tmp_path), pictures(99), 0.1)])
        assert next(found).records
        mine = set(psutil.Process().children(recursive=True)) - children
        assert mine
    _, left = psutil.wait_procs(mine, timeout=10)
    assert not [each for each in left if "spawn_main" in " ".join(each.cmdline())]
    found.close()


def start(*arguments):
    """A part of a cluster in a process of its own."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def scheduler(monkeypatch):
    """A scheduler without workers: its process and address."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    port = free_port()
    process = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    yield process, f"tcp://127.0.0.1:{port}"
    process.kill()
    process.wait()


def free_port():
    """A port that nobody has."""
    import socket

    with socket.socket() as socket_:
        socket_.bind(("127.0.0.1", 0))
        return socket_.getsockname()[1]


def test_workers_may_come_late_and_a_scheduler_that_goes_away_keeps_what_was_found(scheduler, tmp_path):
    process, address = scheduler
    worker = []
    late = threading.Timer(
        2, lambda: worker.append(start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"))
    )
    late.start()
    records = []
    with pytest.raises(LostError, match=f"scheduler at {address} is gone"), OnDask(scheduler_at(address), slowly) as on:
        for found in on.run([work_of(job_of(tmp_path), pictures(400), seconds=0.1)]):
            records += found.records
            process.kill()
    assert len(records) >= 1
    worker[0].kill()
    worker[0].wait()


def test_an_encrypted_cluster_is_reached_with_certificates_and_by_nobody_without_them(here, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    security = Security.temporary()
    pems = (security.tls_ca_file, security.tls_client_cert, security.tls_client_key)
    for file, pem in zip(certificates(tmp_path), pems, strict=True):
        file.write_text(pem)
    ca, cert, key = map(str, certificates(tmp_path))
    address = f"tls://127.0.0.1:{free_port()}"
    shared = ["--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key, "--no-dashboard"]
    host, port = address.removeprefix("tls://").split(":")
    others = [
        start("distributed.cli.dask_scheduler", "--protocol", "tls", "--host", host, "--port", port, *shared),
        start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", *shared),
    ]
    try:
        found, errors = all_of(OnDask(scheduler_at(address, tmp_path)), works(tmp_path))
        same(found, here)
        assert not errors
        monkeypatch.setattr("mps_study.compute.on_dask.cluster.CONNECT_SECONDS", 2)
        with pytest.raises(LostError, match="no Dask scheduler answers"), scheduler_at(address.replace("tls", "tcp")):
            pass
    finally:
        for process in others:
            process.kill()
            process.wait()


def test_nobody_at_an_address_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("mps_study.compute.on_dask.cluster.CONNECT_SECONDS", 1)
    address = f"tcp://127.0.0.1:{free_port()}"
    with (
        pytest.raises(LostError, match=f"no Dask scheduler answers at {address}") as told,
        OnDask(scheduler_at(address)) as on,
    ):
        list(on.run([work_of(job_of(tmp_path), pictures(1))]))
    assert "\n" not in str(told.value)


def test_a_scheduler_elsewhere_without_encryption_is_named_in_a_warning(monkeypatch, caplog):
    monkeypatch.setattr("mps_study.compute.on_dask.cluster.CONNECT_SECONDS", 0.1)
    with pytest.raises(LostError), scheduler_at("tcp://192.0.2.1:8786"):
        pass
    assert [r.levelname for r in caplog.records] == ["WARNING"] and "is not encrypted" in caplog.text
