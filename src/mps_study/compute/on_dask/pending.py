"""What of some jobs is still to be handed out to workers, and what a worker gets next. Knows no Dask."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mps_study.compute.jobs import Found, Job, Targets, Work
from mps_study.compute.on_dask.worker import Sent, digest_of_map
from mps_study.compute.searching import failed_record
from mps_study.compute.units import Load, images_of_next

MOST_BYTES = 8 << 20
"""Of encoded images and their maps in a unit of several: what travels at once."""

TRIES = 3
"""So often a unit is begun that does not come back; then it is halved, and an image alone has failed."""

AS_DEAR = 0.5
"""A worker keeps to the model that it has open while its images take at least this share of the dearest one's."""


@dataclass
class Unit:
    """Some images of a job, and where they were tried in vain.

    Args:
        lost: workers that went away while they worked on it.
        errors: workers on which it raised an error, and the last of these.
    """

    job: Job
    images: Sequence[Sent]
    targets: Targets
    lost: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    error: Exception | None = None

    def halves(self) -> list[Unit]:
        """The same images in two units that were tried nowhere."""
        middle = len(self.images) // 2
        return [Unit(self.job, part, self.targets) for part in (self.images[:middle], self.images[middle:])]


class Pending:
    """The work of some jobs, handed out unit by unit.

    A unit that was lost or failed comes back by `again`, and is handed out before all others. What has been handed out
    and not come back lies in memory with its bytes, and nothing else does.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        self._jobs = {work.job.name: _Job(work) for work in works}

    @property
    def open(self) -> bool:
        """Whether anything is to be done or under way."""
        return bool(self._jobs)

    def next_for(self, worker: str, workers: Collection[str], has_open: str = "") -> Unit | None:
        """What a worker should do now; None if there is nothing for it.

        Args:
            worker: its address.
            workers: all that there are. A unit goes to one on which it was not tried, if there is any.
            has_open: digest of the model that it has open.
        """
        for job in self._jobs.values():
            for unit in job.again:
                tried = {*unit.lost, *unit.errors}
                if worker not in tried or tried.issuperset(workers):
                    job.again.remove(unit)
                    job.out += 1
                    return unit
        for job in self._in_order(has_open):
            loads = [each.load for each in self._jobs.values()]
            images = job.take(images_of_next(loads, len(workers), job.load))
            if images:
                job.out += 1
                return Unit(job.work.job, images, _of(job.work.targets, images))
        return None

    def _in_order(self, has_open: str) -> list[_Job]:
        left = sorted((job for job in self._jobs.values() if not job.exhausted), key=lambda job: -job.load.seconds)
        return sorted(
            left,
            key=lambda job: (
                not (job.work.job.card.digest == has_open and job.load.seconds >= AS_DEAR * left[0].load.seconds)
            ),
        )

    def done(self, unit: Unit, found: Found, seconds: float) -> Iterator[Found]:
        """What is told of a unit that is done, and of its job, if that was its last."""
        job = self._jobs.get(unit.job.name)
        if job is None:  # it has failed meanwhile
            return
        job.out -= 1
        job.learn(len(unit.images), seconds)
        yield found
        yield from self._ended(job)

    def lost(self, unit: Unit, worker: str) -> Iterator[Found]:
        """The worker is gone with the unit."""
        unit.lost.append(worker)
        job = self._jobs.get(unit.job.name)
        if job is None:
            return
        job.out -= 1
        if len(unit.lost) < TRIES:
            job.again.append(unit)
        elif len(unit.images) > 1:
            job.again += unit.halves()
        else:
            reason = (
                f"{TRIES} workers went away while they searched this image alone (killed, perhaps out of memory); the "
                "last was " + worker
            )
            yield Found(unit.job.name, [failed_record(unit.images[0].image, reason)])
        yield from self._ended(job)

    def failed(self, unit: Unit, worker: str, error: Exception) -> Iterator[Found]:
        """The worker raised an error: elsewhere it might not, but one that comes everywhere is the job's."""
        unit.errors.append(worker)
        job = self._jobs.get(unit.job.name)
        if job is None:
            return
        job.out -= 1
        if len(unit.errors) < TRIES:
            job.again.append(unit)
            return
        del self._jobs[unit.job.name]
        yield Found(unit.job.name, error=error, done=True)

    def back(self, unit: Unit) -> None:
        """The worker could not begin with the unit, which is no fault of either."""
        if job := self._jobs.get(unit.job.name):
            job.out -= 1
            job.again.append(unit)

    def exhausted(self) -> Iterator[Found]:
        """Jobs of which nothing is left, though no unit of theirs has come back last."""
        for job in list(self._jobs.values()):
            yield from self._ended(job)

    def _ended(self, job: _Job) -> Iterator[Found]:
        if job.exhausted and not job.out and not job.again:
            del self._jobs[job.work.job.name]
            failed = [failed_record(image, reason) for image, reason in job.work.reader.failed.items()]
            yield Found(job.work.job.name, failed, error=job.error, done=True)


class _Job:
    """How far one job is."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.again: list[Unit] = []
        self.out = 0
        self.exhausted = False
        self.error: Exception | None = None
        self._contents = work.reader.contents()
        self._next: Sent | None = None
        self._taken, self._measured, self._seconds = 0, 0, 0.0

    @property
    def load(self) -> Load:
        """What is left to hand out; seconds an image as seen so far, or as expected."""
        seconds = self._seconds / self._measured if self._measured else self.work.seconds
        left = 0 if self.exhausted else max(1, self.work.images - self._taken)
        return Load(self.work.job.name, left, seconds)

    def learn(self, images: int, seconds: float) -> None:
        """These images took so long."""
        self._measured, self._seconds = self._measured + images, self._seconds + seconds

    def take(self, most: int) -> list[Sent]:
        """The next images whose bytes can be had, at least one unless there is none."""
        taken: list[Sent] = []
        room = MOST_BYTES
        while len(taken) < most and not self.exhausted:
            try:
                sent, self._next = self._next or self._read(), None
            except Exception as error:  # of this job's maps; the others go on
                sent, self.error = None, error
            if sent is None:
                self.exhausted = True
            elif taken and sent.size > room:
                self._next = sent
                break
            else:
                room -= sent.size
                taken.append(sent)
        self._taken += len(taken)
        return taken

    def _read(self) -> Sent | None:
        image, content = next(self._contents, ("", b""))
        if not image:
            return None
        found = None if self.work.maps is None else self.work.maps.get(image)
        return Sent(image, self.work.reader.sha256[image], content, found, digest_of_map(found))


def _of(targets: Targets, images: Sequence[Sent]) -> Targets:
    """The targets of these images alone."""
    if not isinstance(targets, Mapping):
        return targets
    return {sent.image: targets[sent.image] for sent in images if sent.image in targets}
