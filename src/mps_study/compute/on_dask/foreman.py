"""Gives units to the workers of a Dask cluster, one at a time each, and takes back what they found.

Which worker does a unit is decided here, not by Dask: so it is known which unit a worker had when it went away, how
many there were before, and which model a worker has open, whatever the settings of the cluster are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from mps_study.compute.jobs import Found, LostError, Work
from mps_study.compute.on_dask import fetching
from mps_study.compute.on_dask.pending import Pending, Unit
from mps_study.compute.on_dask.worker import Answer, search_unit

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often it is looked which workers there are."""

SAY_SECONDS = 60
"""How often it is said that there is none."""

AT_ONCE = 8
"""Threads that fetch what was found."""

Search = Callable[..., Answer]
"""What runs on a worker; `search_unit`, or something that takes as long."""


@dataclass
class _Worker:
    """One worker: the unit that it has, the digest of the model that it has open, and blocks that are sent to it."""

    address: str
    unit: Unit | None = None
    future: Future[Any] | None = None
    model: str = ""
    blocks: Iterator[tuple[str, bytes]] | None = None
    folder: str = ""


@dataclass(frozen=True)
class _Event:
    """A worker's task has ended with a result or an error."""

    worker: _Worker
    future: Future[Any]
    result: Any = None
    error: BaseException | None = None


@dataclass
class Foreman:
    """Works through some jobs on the workers of a client's cluster, in a thread of its own.

    Args:
        client: of the cluster; it is not closed.
        works: the jobs.
        search: what runs on the workers.
    """

    client: Client
    works: Sequence[Work]
    search: Search = search_unit
    run: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        self._pending = Pending(self.works)
        self._workers: dict[str, _Worker] = {}
        self._events: SimpleQueue[_Event | frozenset[str] | LostError | None] = SimpleQueue()
        self._found: SimpleQueue[Found | BaseException | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._fetchers = ThreadPoolExecutor(AT_ONCE, "fetch")
        self._said = time.monotonic()

    def found(self) -> Iterator[Found]:
        """What is found, as it comes.

        Raises:
            LostError: the scheduler is gone.
        """
        thread = threading.Thread(target=self._work, name="foreman", daemon=True)
        thread.start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        try:
            while (each := self._take()) is not None:
                if isinstance(each, BaseException):
                    raise each
                yield each
        finally:
            self._stopped.set()
            self._events.put(None)
            thread.join(timeout=2)

    def _take(self) -> Found | BaseException | None:
        while True:
            try:
                return self._found.get(timeout=1)  # without a time, Ctrl-C would wait on Windows
            except Empty:
                continue

    def _work(self) -> None:
        try:
            while self._pending.open and not self._stopped.is_set():
                self._hear()
                self._assign()
            self._found.put(None)
        except BaseException as error:
            self._found.put(error if self._is_up() else self._gone())
        finally:
            self._stopped.set()
            self._let_go([worker.future for worker in self._workers.values()])
            self._fetchers.shutdown(wait=False, cancel_futures=True)

    def _is_up(self) -> bool:
        return bool(self.client.status == "running")

    def _gone(self) -> LostError:
        scheduler = self.client.scheduler
        return LostError(f"the Dask scheduler at {scheduler.address if scheduler else 'its address'} is gone")

    def _watch(self) -> None:
        """See again and again which workers there are; in a thread, since a busy scheduler may take its time."""
        while not self._stopped.is_set():
            try:
                self._events.put(frozenset(self.client.nthreads()))
            except Exception:  # Dask raises many types, all meaning that nobody answers
                self._events.put(self._gone())
                return
            self._stopped.wait(LOOK_SECONDS)

    def _see(self, there: frozenset[str]) -> None:
        """Some workers have come, others have gone."""
        now = time.monotonic()
        for address in self._workers.keys() - there:
            worker = self._workers.pop(address)
            future, worker.future = worker.future, None  # what is still heard of it is not listened to
            self._let_go([future])
            if worker.unit is not None:
                log.warning("%s: worker %s is gone; its %d images are searched again elsewhere",
                            worker.unit.job.name, address, len(worker.unit.images))  # fmt: skip
                self._tell(self._pending.lost(worker.unit, address))
        for address in there - self._workers.keys():
            self._workers[address] = _Worker(address)
        if there:
            self._said = now
        elif now - self._said > SAY_SECONDS:
            self._said = now
            log.info("no worker has come yet; waiting")

    def _assign(self) -> None:
        """Give every free worker a unit, unless more was found than has been taken."""
        if self._found.qsize() > 2 * len(self._workers) + 2:
            return
        for worker in [each for each in self._workers.values() if each.unit is None]:
            unit = self._pending.next_for(worker.address, self._workers.keys(), worker.model)
            if unit is None:
                self._tell(self._pending.exhausted())
                continue
            worker.unit, worker.model = unit, unit.job.card.digest
            self._submit(worker, self.search, self.run, unit.job, unit.images, unit.targets)

    def _submit(self, worker: _Worker, task: Callable[..., Any], *arguments: Any) -> None:
        key = f"{task.__name__}-{uuid4().hex}"
        future = self.client.submit(task, *arguments, workers=[worker.address], key=key, pure=False)
        worker.future = future
        future.add_done_callback(lambda done: self._fetch(worker, done))

    def _fetch(self, worker: _Worker, future: Future[Any]) -> None:
        def fetch() -> None:
            try:
                self._events.put(_Event(worker, future, future.result()))
            except BaseException as error:
                self._events.put(_Event(worker, future, error=error))

        if not self._stopped.is_set():
            self._fetchers.submit(fetch)

    def _hear(self) -> None:
        """Wait for something to happen, and deal with all that has."""
        event = self._events.get()
        while event is not None:
            if isinstance(event, LostError):
                raise event
            if isinstance(event, frozenset):
                self._see(event)
            else:
                self._deal_with(event)
            event = None if self._events.empty() else self._events.get()

    def _deal_with(self, event: _Event) -> None:
        worker, unit = event.worker, event.worker.unit
        if event.future is not worker.future or unit is None:  # of a worker that is gone
            return
        self._let_go([event.future])
        worker.future = None
        if isinstance(event.error, KilledWorker):
            self._end(worker, self._pending.lost(unit, worker.address))
        elif event.error is not None:
            if event.future.status == "cancelled" or not self._is_up():
                raise self._gone()
            worker.blocks = None
            self._end(worker, self._pending.failed(unit, worker.address, _not_begun(worker.address, event.error)))
        elif worker.blocks is not None:
            self._send(worker, unit, event.result)
        else:
            self._answered(worker, unit, event.result)

    def _answered(self, worker: _Worker, unit: Unit, answer: Answer) -> None:
        if answer.found is not None:
            self._end(worker, self._pending.done(unit, answer.found, answer.seconds))
        elif answer.error is not None:
            log.warning("%s: worker %s: %s", unit.job.name, worker.address, answer.error)
            self._end(worker, self._pending.failed(unit, worker.address, answer.error))
        else:
            log.info("%s: sent to worker %s, which cannot see it", unit.job.model, worker.address)
            worker.blocks = fetching.blocks_of(unit.job.model)
            self._submit(worker, fetching.begin_fetching, unit.job.card.digest)

    def _send(self, worker: _Worker, unit: Unit, folder: str | None) -> None:
        """The next block of a model, or after the last one the unit again; `folder`: in which the worker takes it."""
        assert worker.blocks is not None
        worker.folder = folder or worker.folder
        file, block = next(worker.blocks, ("", b""))
        if file:
            self._submit(worker, fetching.take_block, worker.folder, file, block)
        elif worker.folder:
            self._submit(worker, fetching.end_fetching, worker.folder, unit.job.card.digest, unit.job.model.name)
            worker.folder = ""
        else:
            worker.blocks = None
            self._submit(worker, self.search, self.run, unit.job, unit.images, unit.targets)

    def _end(self, worker: _Worker, told: Iterator[Found]) -> None:
        worker.unit = None
        self._tell(told)

    def _tell(self, told: Iterator[Found]) -> None:
        for found in told:
            self._found.put(found)

    def _let_go(self, futures: Sequence[Future[Any] | None]) -> None:
        """Forget futures, those that are still under way included, and what came of them."""
        mine = [future for future in futures if future is not None]
        try:
            if (under_way := [future for future in mine if not future.done()]) and self._is_up():
                self.client.cancel(under_way, force=True)
        except Exception:  # the scheduler may be gone
            log.debug("cannot cancel", exc_info=True)
        for future in mine:
            future.release()


def _not_begun(worker: str, error: BaseException) -> Exception:
    """An error that our own code on the worker did not catch: it was not reached."""
    said = " ".join(str(error).split())[:300]
    return ValueError(
        f"worker {worker} cannot begin ({type(error).__name__}: {said}); install the same mps-study on the machines of "
        "scheduler and workers, where their processes find it"
    )
