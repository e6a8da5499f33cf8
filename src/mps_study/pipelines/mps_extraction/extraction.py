"""Extracts the records of models and searches: claims them, hands their work to a runner, packs what comes back."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from click import ClickException

from mps_study.common.commands import kedro_run
from mps_study.common.progress import progress_bar
from mps_study.compute.jobs import Found, LostError, Runner
from mps_study.datasets.claims import ClaimedError
from mps_study.datasets.failures import Failures
from mps_study.datasets.records.store import RecordShard
from mps_study.pipelines.failing import noted
from mps_study.pipelines.mps_extraction.model_search import ModelSearch, Step
from mps_study.pipelines.mps_extraction.study import STAGE, Study


def extract(study: Study, runner: Runner) -> Generator[Step, None, Failures]:
    """All that is found of a study's models and searches; returns which of them failed, or were held by others.

    A unit that fails, or that another process works on, is noted; the others go on. Those that another process held
    get a second turn at the end.

    Raises:
        ClickException: a cluster was lost.
    """
    under_way = _UnderWay(study, runner)
    waiting = list(study.units)
    for _ in range(2):
        under_way.held = {}
        for together in runner.rounds(waiting):
            yield from under_way.of(together)
        waiting = [unit for _, unit in under_way.held]
    yield _no_records(), {}, dict(under_way.held)
    return under_way.failures | under_way.held


@dataclass
class _UnderWay:
    """Units on their way through a runner, and what became of those that are through."""

    study: Study
    runner: Runner
    failures: dict[tuple[str, str], str | None] = field(default_factory=dict)
    held: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def of(self, units: Sequence[str]) -> Iterator[Step]:
        """What is found of those that are free. A claim is held until the last of its unit has been saved."""
        going: dict[str, ModelSearch] = {}
        claims: dict[str, ExitStack] = {}
        with ExitStack() as all_claims:
            for unit in units:
                claims[unit] = all_claims.enter_context(ExitStack())
                try:
                    claims[unit].enter_context(self.study.claim(unit))
                    search = self.study.begin(unit)
                except ClaimedError as error:
                    self.held[STAGE, unit] = noted(STAGE, unit, error)
                except Exception as error:
                    yield self._failed(unit, error)
                else:
                    if search.work.images:
                        going[unit] = search
                        continue
                    search.summary(0.0)
                    yield from self._ended(search)
                claims[unit].close()
            for step, ended in self._searched(going) if going else ():
                with ExitStack() as turn:
                    for model in step[1]:  # another process may write the card of the same model
                        turn.enter_context(self.study.claims.locked(f"model_cards/{model}"))
                    yield step
                if ended:
                    claims[ended].close()

    def _searched(self, going: dict[str, ModelSearch]) -> Iterator[tuple[Step, str]]:
        """Each step, and the unit that has ended with it, or nothing."""
        images, done = (sum(each) for each in zip(*((s.work.images, s.done) for s in going.values()), strict=True))
        name = next(iter(going)) if len(going) == 1 else f"{len(going)} models and searches"
        clock = _Clock()
        with progress_bar(done + images, name, done=done) as bar:
            try:
                for found in clock.timed(self.runner.run([search.work for search in going.values()])):
                    search = going[found.job]
                    search.add(found, clock.before, time.perf_counter())
                    bar.set_postfix_str(f"{search.rate(clock.worked):.0f} evaluations/s", refresh=False)
                    bar.update(len(found.records))
                    for each in going.values():
                        if each.full(time.perf_counter()) or (found.done and each is search):
                            yield from ((step, "") for step in each.shards(clock.worked))
                    if found.done:
                        search.summary(clock.worked)
                        steps = [self._failed(found.job, found.error)] if found.error else self._ended(search)
                        yield from ((step, "") for step in steps)
                        yield (_no_records(), {}, {}), found.job
            except LostError as error:
                for search in going.values():
                    yield from ((step, "") for step in search.shards(clock.worked))
                raise ClickException(f"{error}; what was found is kept: `{kedro_run(STAGE)}` goes on with it") from None

    def _ended(self, search: ModelSearch) -> Iterator[Step]:
        """What is said of a unit whose records have all been saved."""
        try:
            if self.study.is_whole(search):
                yield search.complete()
            search.work.reader.check(kedro_run(STAGE, model=search.card.name))
            notes = self.study.notes(search)
        except Exception as error:
            yield self._failed(search.work.job.name, error)
            return
        yield _no_records(), {}, notes

    def _failed(self, unit: str, error: Exception) -> Step:
        self.failures[STAGE, unit] = noted(STAGE, unit, error)
        return _no_records(), {}, {(STAGE, unit): self.failures[STAGE, unit]}


class _Clock:
    """Seconds that a runner has worked: those of whoever takes what it found do not count."""

    def __init__(self) -> None:
        self.before = self.worked = 0.0

    def timed(self, found: Iterator[Found]) -> Iterator[Found]:
        """The same, timed."""
        while True:
            began = time.perf_counter()
            each = next(found, None)
            self.before = self.worked
            self.worked += time.perf_counter() - began
            if each is None:
                return
            yield each


def _no_records() -> RecordShard:
    """What comes with the note of a failure: a shard that is not written."""
    return RecordShard("", "", {}, 0, [], {})
