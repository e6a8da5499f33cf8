"""Packs what many searches ask into full model batches.

The one place that calls a classifier. Searches only see replies to their own questions, so neither the batch
size nor the number of workers nor the company of other images can change what they find.

Questions that must be asked alone come first, so that no image waits behind another's. Of all others a batch is sent
when it is full, or when a worker is idle and no search is left from which more could come. A batch holds pictures of
one shape: those that have the oldest question's.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.mutants import Mutants, Picture
from mps_study.mps.types import Classifier, Reply, Search, Slice

T = TypeVar("T")

ALONE_AT_ONCE = 32
"""Questions in one call of a classifier that answers those which must be alone on a thread of their own."""


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
    tolerance: float = field(compare=False, default=0.0)

    def ask(self, question: Mutants) -> None:
        n = len(question)
        self.question, self.sent, self.open = question, 0, n
        self.labels = np.empty(n, dtype=np.int64)
        self.confidences = np.empty(n, dtype=np.float32)
        self.margins = np.full(n, np.inf, dtype=np.float32)
        self.log_odds = np.full(n, np.nan, dtype=np.float32)
        self.tolerance = 0.0

    @property
    def unsent(self) -> int:
        return len(self.question) - self.sent

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the picture (c, h, w)."""
        return self.job.picture.pixels.shape

    def answer(self, part: slice, reply: Reply, rows: slice) -> None:
        self.labels[part] = reply.labels[rows]
        self.confidences[part] = reply.confidences[rows]
        if reply.margins is not None:
            self.margins[part] = reply.margins[rows]
        if reply.log_odds is not None:
            self.log_odds[part] = reply.log_odds[rows]
        self.tolerance = max(self.tolerance, reply.tolerance)
        self.open -= part.stop - part.start


_Batch = list[tuple[_Flight[T], Slice]]


def run_searches(jobs: Iterable[Job[T]], classifier: Classifier, in_flight: int = 8) -> Iterator[T]:
    """Yield the searches' results in the order of the jobs, each as soon as it and all before it are done.

    At most `in_flight` searches are open. The oldest search is served first, so that results come early and
    little has to wait for its turn. An exception of the classifier or of a job ends the iteration.

    A classifier with a `look_at` is shown the first picture before it is asked how large its batches are.

    Raises:
        ValueError: `in_flight` is no whole number of at least 1.
    """
    if isinstance(in_flight, bool) or not isinstance(in_flight, (int, np.integer)) or in_flight < 1:
        raise ValueError(f"in_flight is {in_flight!r}; use a whole number, 1 or more")
    jobs = iter(jobs)
    first = list(islice(jobs, 1))
    look_at: Callable[[Picture], None] | None = getattr(classifier, "look_at", None)
    if first and look_at is not None:
        look_at(first[0].picture)
    waiting = enumerate(chain(first, jobs))
    lines: _Lines[T] = _Lines()
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
        lines.add(flight)
        return 0

    with workers:
        while True:
            while asking < in_flight and not exhausted:
                index, job = next(waiting, (-1, None))
                if job is None:
                    exhausted = True
                else:
                    asking += 1 - proceed(_Flight(index, job, Mutants((0, 0))), None)
            while lines.alone and workers.free_for_alone:
                workers.submit_alone(lines.pack_alone(workers.alone_at_once))
            while lines.rows and workers.free:
                # A search whose question is out as a whole may soon ask more, which would fill this batch.
                more_may_come = asking > len(lines.company)
                if lines.rows < classifier.batch_size and (more_may_come or not workers.idle) and workers.busy:
                    break
                workers.submit(lines.pack(classifier.batch_size))
            while due in results:
                yield results.pop(due)
                due += 1
            if not workers.busy:
                if exhausted and not lines.alone and not lines.company:
                    return
                continue
            batch, reply = workers.next_reply()
            start = 0
            for flight, part in batch:
                stop = start + part.stop - part.start
                flight.answer(slice(part.start, part.stop), reply, slice(start, stop))
                start = stop
                if not flight.open:
                    answer = Reply(flight.labels, flight.confidences, flight.margins, flight.log_odds, flight.tolerance)
                    asking -= proceed(flight, answer)


class _Lines(Generic[T]):
    """Searches whose questions wait to be sent, oldest first: those that must be alone, and all others."""

    def __init__(self) -> None:
        self.alone: list[_Flight[T]] = []
        self.company: list[_Flight[T]] = []

    @property
    def rows(self) -> int:
        """How many mutants wait that may be in the next batch: those of pictures of the oldest question's shape."""
        return sum(each.unsent for each in self.company if each.shape == self.company[0].shape)

    def add(self, flight: _Flight[T]) -> None:
        if flight.question.alone:
            heapq.heappush(self.alone, flight)
        else:
            heapq.heappush(self.company, flight)

    def pack(self, batch_size: int) -> _Batch[T]:
        """A batch of the oldest questions, full if there are as many rows."""
        return _pack(self.company, batch_size)

    def pack_alone(self, most: int) -> _Batch[T]:
        """Rows that are each asked alone."""
        return _pack(self.alone, most)


def _pack(line: list[_Flight[T]], rows: int) -> _Batch[T]:
    """Take up to so many rows from the oldest questions about pictures of the oldest one's shape."""
    batch: _Batch[T] = []
    left: list[_Flight[T]] = []
    shape = line[0].shape
    while line and rows:
        flight = heapq.heappop(line)
        if flight.shape == shape:
            stop = min(flight.sent + rows, len(flight.question))
            batch.append((flight, Slice(flight.job.picture, flight.question, flight.sent, stop)))
            rows -= stop - flight.sent
            flight.sent = stop
        if flight.unsent:
            left.append(flight)
    for flight in left:
        heapq.heappush(line, flight)
    return batch


class _Workers(Generic[T]):
    """Threads that classify batches; in the caller's own thread when there is only one worker.

    A classifier with a `classify_alone` has one thread more for that. All others answer such questions like a batch of
    one.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classify = classifier.classify
        self._replies: SimpleQueue[tuple[_Batch[T], Future[Reply], bool]] = SimpleQueue()
        self._classify_alone: Callable[[Sequence[Slice]], Reply] | None = getattr(classifier, "classify_alone", None)
        apart = self._classify_alone is not None
        many = classifier.workers > 1 or apart
        self._pool = ThreadPoolExecutor(classifier.workers, "classify") if many else None
        self._alone_pool = ThreadPoolExecutor(1, "classify alone") if apart else None
        self._workers = classifier.workers
        self._room = classifier.workers + 1 if many else 1
        self.alone_at_once = ALONE_AT_ONCE if apart else 1
        self._batches, self._alone = 0, 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        for pool in (self._pool, self._alone_pool):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    @property
    def busy(self) -> int:
        """Calls that have not come back."""
        return self._batches + self._alone

    @property
    def free(self) -> bool:
        """Whether another batch should be submitted: one waits for each that is being classified."""
        return self._batches < self._room

    @property
    def free_for_alone(self) -> bool:
        """Whether a question that must be alone should be submitted."""
        return self.free if self._alone_pool is None else self._alone < 2

    @property
    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        return self._batches < self._workers

    def submit(self, batch: _Batch[T]) -> None:
        self._batches += 1
        self._call(self._pool, self._classify, batch, alone=False)

    def submit_alone(self, batch: _Batch[T]) -> None:
        if self._classify_alone is None:
            self.submit(batch)
        else:
            self._alone += 1
            self._call(self._alone_pool, self._classify_alone, batch, alone=True)

    def _call(
        self,
        pool: ThreadPoolExecutor | None,
        classify: Callable[[Sequence[Slice]], Reply],
        batch: _Batch[T],
        alone: bool,
    ) -> None:
        slices: Sequence[Slice] = [part for _, part in batch]
        if pool is None:
            future: Future[Reply] = Future()
            future.set_result(classify(slices))
            self._replies.put((batch, future, alone))
            return
        future = pool.submit(classify, slices)
        future.add_done_callback(lambda done: self._replies.put((batch, done, alone)))

    def next_reply(self) -> tuple[_Batch[T], Reply]:
        batch, future, alone = self._replies.get()
        if alone:
            self._alone -= 1
        else:
            self._batches -= 1
        return batch, future.result()
