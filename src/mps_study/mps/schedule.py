"""Packs what many searches ask into full model batches.

The one place that calls a classifier. Searches only see replies to their own questions, so neither the batch
size nor the number of workers nor the company of other images can change what they find.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants, Picture
from mps_study.mps.types import Classifier, Reply, Search, Slice

T = TypeVar("T")


@dataclass(frozen=True)
class Job(Generic[T]):
    """A search that has not started, and the picture that it is about."""

    picture: Picture
    search: Search[T]


@dataclass(order=True)
class _Flight(Generic[T]):
    """A search under way: its current question, the rows sent so far, and the replies that are back."""

    index: int
    job: Job[T] = field(compare=False)
    question: Mutants = field(compare=False)
    sent: int = field(compare=False, default=0)
    open: int = field(compare=False, default=0)
    labels: NDArray[np.int64] = field(compare=False, default_factory=lambda: np.empty(0, np.int64))
    confidences: NDArray[np.float32] = field(compare=False, default_factory=lambda: np.empty(0, np.float32))
    margins: NDArray[np.float32] = field(compare=False, default_factory=lambda: np.empty(0, np.float32))
    log_odds: NDArray[np.float32] = field(compare=False, default_factory=lambda: np.empty(0, np.float32))

    def ask(self, question: Mutants) -> None:
        n = len(question)
        self.question, self.sent, self.open = question, 0, n
        self.labels = np.empty(n, dtype=np.int64)
        self.confidences = np.empty(n, dtype=np.float32)
        self.margins = np.full(n, np.inf, dtype=np.float32)
        self.log_odds = np.full(n, np.nan, dtype=np.float32)

    def answer(self, part: slice, reply: Reply, rows: slice) -> None:
        self.labels[part] = reply.labels[rows]
        self.confidences[part] = reply.confidences[rows]
        if reply.margins is not None:
            self.margins[part] = reply.margins[rows]
        if reply.log_odds is not None:
            self.log_odds[part] = reply.log_odds[rows]
        self.open -= part.stop - part.start


_Batch = list[tuple[_Flight[T], Slice]]


def run_searches(jobs: Iterable[Job[T]], classifier: Classifier, in_flight: int = 8) -> Iterator[T]:
    """Yield the searches' results in the order of the jobs, each as soon as it and all before it are done.

    At most `in_flight` searches are open. The oldest search is served first, so that results come early and
    little has to wait for its turn. An exception of the classifier or of a job ends the iteration.
    """
    waiting = enumerate(jobs)
    ready: list[_Flight[T]] = []
    results: dict[int, T] = {}
    asking, due, exhausted = 0, 0, False
    workers: _Workers[T] = _Workers(classifier)

    def proceed(flight: _Flight[T], reply: Reply | None) -> int:
        """Let a search go on; 1 if it has finished."""
        try:
            flight.ask(flight.job.search.send(reply) if reply else next(flight.job.search))
        except StopIteration as finished:
            results[flight.index] = finished.value
            return 1
        heapq.heappush(ready, flight)
        return 0

    with workers:
        while True:
            while asking < in_flight and not exhausted:
                index, job = next(waiting, (-1, None))
                if job is None:
                    exhausted = True
                else:
                    asking += 1 - proceed(_Flight(index, job, Mutants((0, 0))), None)
            while ready and workers.free:
                workers.submit(_pack(ready, classifier.batch_size))
            while due in results:
                yield results.pop(due)
                due += 1
            if not workers.busy:
                if exhausted and not ready:
                    return
                continue
            batch, reply = workers.next_reply()
            start = 0
            for flight, part in batch:
                stop = start + part.stop - part.start
                flight.answer(slice(part.start, part.stop), reply, slice(start, stop))
                start = stop
                if not flight.open:
                    answer = Reply(flight.labels, flight.confidences, flight.margins, flight.log_odds)
                    asking -= proceed(flight, answer)


def _pack(ready: list[_Flight[T]], batch_size: int) -> _Batch[T]:
    """Fill one batch from the oldest questions; a question that must be asked alone is a batch of its own."""
    batch: _Batch[T] = []
    free = batch_size
    while ready and free:
        flight = ready[0]
        if flight.question.alone and batch:
            break
        most = 1 if flight.question.alone else free
        stop = min(flight.sent + most, len(flight.question))
        batch.append((flight, Slice(flight.job.picture, flight.question, flight.sent, stop)))
        free = 0 if flight.question.alone else free - (stop - flight.sent)
        flight.sent = stop
        if stop == len(flight.question):
            heapq.heappop(ready)
    return batch


class _Workers(Generic[T]):
    """Threads that classify batches; in the caller's own thread when there is only one worker."""

    def __init__(self, classifier: Classifier) -> None:
        self._classify = classifier.classify
        self._replies: SimpleQueue[tuple[_Batch[T], Future[Reply]]] = SimpleQueue()
        many = classifier.workers > 1
        self._pool = ThreadPoolExecutor(classifier.workers, "classify") if many else None
        self._room = classifier.workers + 1 if many else 1
        self.busy = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def free(self) -> bool:
        """Whether another batch should be submitted: one waits for each that is being classified."""
        return self.busy < self._room

    def submit(self, batch: _Batch[T]) -> None:
        slices: Sequence[Slice] = [part for _, part in batch]
        self.busy += 1
        if self._pool is None:
            future: Future[Reply] = Future()
            future.set_result(self._classify(slices))
            self._replies.put((batch, future))
            return
        future = self._pool.submit(self._classify, slices)
        future.add_done_callback(lambda done: self._replies.put((batch, done)))

    def next_reply(self) -> tuple[_Batch[T], Reply]:
        batch, future = self._replies.get()
        self.busy -= 1
        return batch, future.result()
