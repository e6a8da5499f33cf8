"""The runner of this process: one job after the other, all images of a job in one stream through one classifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mps_study.compute.jobs import Found, Work
from mps_study.compute.opening import measurements, open_classifier
from mps_study.compute.searching import failed_record, search_pictures
from mps_study.models.inference.made_with import made_with


class Here:
    """Works in this process, with as many threads as the model is asked fastest with."""

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def rounds(self, names: Sequence[str]) -> list[list[str]]:
        """One at a time, so that a process beside this one can take another."""
        return [[name] for name in names]

    def run(self, works: Sequence[Work]) -> Iterator[Found]:
        """A record at a time, in the order of the images."""
        for work in works:
            try:
                yield from _searched(work)
            except Exception as error:  # of this model alone; the others go on
                yield Found(work.job.name, error=error, done=True)


def _searched(work: Work) -> Iterator[Found]:
    job = work.job
    classifier, _ = open_classifier(job.card, job.model, job.asking)
    for record in search_pictures(job, work.reader, classifier, work.targets, work.maps, work.reader.failed):
        yield Found(job.name, [record], made_with(classifier), measurements(classifier, job.asking))
    failed = [failed_record(image, reason) for image, reason in work.reader.failed.items()]
    yield Found(
        job.name, failed, made_with(classifier), measurements(classifier, job.asking), classifier.rows, done=True
    )
