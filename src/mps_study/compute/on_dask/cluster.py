"""Runners on Dask: a cluster of processes on this machine, or a scheduler that somebody has started."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from distributed import Client, Nanny, Scheduler, Security, SpecCluster

from mps_study.common.cores import ALLOWED, cores
from mps_study.compute.asking import CERTIFICATES, Asking, certificates
from mps_study.compute.closing import opened
from mps_study.compute.jobs import Found, LostError, Work
from mps_study.compute.on_dask.fetching import CACHE
from mps_study.compute.on_dask.foreman import Foreman, Search
from mps_study.compute.on_dask.worker import search_unit
from mps_study.models.inference.devices import choose_device, gpu_names

log = logging.getLogger(__name__)

CORES_A_WORKER = 4
"""Of a local cluster without GPUs: each worker holds a model of its own."""

CONNECT_SECONDS = 10

LOOK_SECONDS, REVIVE_SECONDS = 1, 20
"""How often the processes of a local cluster are looked at; how long one may stay away, which Dask starts again."""

UNDISTURBED = "mps_study.compute.on_dask.undisturbed"
"""Loaded by each worker of a local cluster when it starts."""


class OnDask:
    """Works on a client's cluster, which is not closed with it unless it was opened here.

    Args:
        client: opens it, when there is something to do.
        search: what runs on the workers.
    """

    def __init__(self, client: contextlib.AbstractContextManager[Client], search: Search = search_unit) -> None:
        self._opening, self._search = client, search
        self._stack = opened()
        self._client: Client | None = None

    def __enter__(self) -> OnDask:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def rounds(self, names: Sequence[str]) -> list[list[str]]:
        """All together, so that no worker waits for the end of a model."""
        return [list(names)] if names else []

    def run(self, works: Sequence[Work]) -> Iterator[Found]:
        """Some images at a time, in any order.

        Raises:
            LostError: there is no scheduler, or no longer one.
        """
        if self._client is None:
            self._client = self._stack.enter_context(self._opening)
        yield from Foreman(self._client, works, self._search).found()


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own lines are for whoever debugs it: what a user must know is logged here."""
    loggers = [logging.getLogger(name) for name in ("distributed", *logging.root.manager.loggerDict)]
    levels = {each: each.level for each in loggers if each.name.partition(".")[0] == "distributed"}
    try:
        for each in levels:
            each.setLevel(logging.CRITICAL)
        yield
    finally:
        for each, level in levels.items():
            each.setLevel(level)


@contextmanager
def local_cluster(asking: Asking, workers: int | None = None) -> Iterator[Client]:
    """A client of processes on this machine, on its loopback alone, with certificates that nobody else has.

    Each has a share of the cores, or a GPU of its own. A worker that dies is started again. When it is closed, its
    processes are killed: they have nothing that is worth an end in peace, and no process is left.
    """
    gpus = gpus_here() if choose_device(asking.device) == "cuda" else []
    number = workers or len(gpus) or max(1, cores() // CORES_A_WORKER)
    security = Security.temporary()
    with _quiet(), tempfile.TemporaryDirectory(prefix="mps-study-workers-", ignore_cleanup_errors=True) as folder:
        specification = {
            i: {"cls": Nanny, "options": _options(i, number, gpus, security, folder)} for i in range(number)
        }
        options = {
            "host": "127.0.0.1",
            "port": 0,
            "protocol": "tls://",
            "security": security,
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        }
        cluster = SpecCluster(
            workers=specification, scheduler={"cls": Scheduler, "options": options}, security=security
        )
        client = Client(cluster, timeout=CONNECT_SECONDS)
        log.info("a cluster of %d processes on this machine", number)
        ended = threading.Event()
        threading.Thread(target=_revive, args=(cluster, number, ended), name="revive", daemon=True).start()
        try:
            yield client
        finally:
            ended.set()
            _kill(cluster)
            with contextlib.suppress(Exception):
                client.close(timeout=1)
            with contextlib.suppress(Exception):
                cluster.close(timeout=2)


def _options(i: int, number: int, gpus: Sequence[str], security: Any, folder: str) -> dict[str, Any]:
    environment = {
        CACHE: folder,
        "OMP_NUM_THREADS": "1",
        ALLOWED: str(max(1, cores() // number)),
        "DASK_LOGGING__DISTRIBUTED": "critical",
    }
    if gpus:  # in the worker's own environment, before anything there looks for a GPU
        environment["CUDA_VISIBLE_DEVICES"] = gpus[i % len(gpus)]
    return {
        "nthreads": 1,
        "memory_limit": 0,  # a worker that opens a model of 4 GB must not be killed for it
        "host": "127.0.0.1",
        "protocol": "tls://",
        "security": security,
        "env": environment,
        "local_directory": folder,
        "preload": [UNDISTURBED],
        "dashboard": False,
        "silence_logs": logging.CRITICAL,
    }


def _revive(cluster: SpecCluster, number: int, ended: threading.Event) -> None:
    """Start another process in the place of one that stays away; in a thread, until the cluster has ended.

    Dask's nanny starts a worker again that dies, but not one that dies before the nanny has heard that it is up, as
    where the first that it is given is the image which kills it; and of a start that fails it only writes a line.
    """
    away: dict[object, float] = {}
    while not ended.wait(LOOK_SECONDS):
        for name, nanny in list(cluster.workers.items()):
            if (process := _process_of(nanny)) is not None and process.is_alive():
                away.pop(name, None)
            elif time.monotonic() - away.setdefault(name, time.monotonic()) > REVIVE_SECONDS:
                log.warning("a process of the cluster on this machine stays away; another is started")
                del away[name]
                with contextlib.suppress(Exception):  # it is gone one way or the other
                    cluster.sync(cluster.workers.pop(name).close, callback_timeout=REVIVE_SECONDS)
                cluster.scale(number)


def _process_of(nanny: Nanny) -> Any:
    """The process of a nanny's worker; None where there is none."""
    return getattr(nanny.process, "process", None)


def _kill(cluster: SpecCluster) -> None:
    """End the workers' processes now, whatever they do."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        process = _process_of(nanny)
        if process is not None and process.pid:
            with contextlib.suppress(OSError):
                os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def gpus_here() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [gpu.strip() for gpu in visible.split(",") if gpu.strip()]
    return [str(i) for i, _ in enumerate(gpu_names())]


@contextmanager
def scheduler_at(address: str, folder: Path = CERTIFICATES) -> Iterator[Client]:
    """A client of the scheduler at tcp://HOST:PORT or tls://HOST:PORT, which goes on when the client is closed.

    Raises:
        LostError: nobody answers there.
        OSError: a certificate cannot be read.
    """
    security = None
    if address.startswith("tls://"):
        ca, cert, key = certificates(folder)
        security = Security(tls_ca_file=str(ca), tls_client_cert=str(cert), tls_client_key=str(key),
                            require_encryption=True)  # fmt: skip
    elif not _is_here(urlsplit(address).hostname or ""):
        log.warning("%s is not encrypted: whoever reaches that port can run programs there and read what is sent; "
                    "use tls:// (docs/how-to/cluster.md)", address)  # fmt: skip
    with _quiet():
        try:
            client = Client(address, timeout=CONNECT_SECONDS, security=security)
        except Exception as error:  # Dask raises many types, all meaning that nobody answers
            said = " ".join(str(error).split())[:200]
            raise LostError(f"no Dask scheduler answers at {address} ({said}); start one: `dask scheduler`") from None
        log.info("the cluster at %s has %d workers now", address, len(client.nthreads()))
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=2)


def _is_here(host: str) -> bool:
    """Whether a host is this machine's loopback."""
    try:
        return all(ipaddress.ip_address(info[4][0]).is_loopback for info in socket.getaddrinfo(host, None))
    except OSError:
        return False
