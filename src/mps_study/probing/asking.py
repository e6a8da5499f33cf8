"""Questions about known sets, asked through the engine's packer: each alone, in fp32, as sets are verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from mps_study.mps.common.evidence import with_log_odds
from mps_study.mps.mutants import Masks, Picture
from mps_study.mps.schedule import Job, run_searches
from mps_study.mps.types import Classifier, Search
from mps_study.probing.conditions import CONDITIONS, NotAskedError
from mps_study.probing.known import KnownSet, Mask
from mps_study.probing.subsets import SubExplanations, Subsets, confidences, sub_explanations


@dataclass(frozen=True)
class Answer:
    """The model's class of one picture, -1 for none; and the confidence of the class that was asked about."""

    label: int
    confidence: float


@dataclass(frozen=True)
class Probe:
    """What the model said of a set under a condition, or why it was not asked (`missing`).

    `condition` is a name of `CONDITIONS`; `repetition` counts its variants from 0.
    """

    condition: str
    repetition: int
    answer: Answer | None
    missing: str = ""


@dataclass(frozen=True)
class Probed:
    """All that was asked about one known set; `evaluations` are questions."""

    probes: tuple[Probe, ...]
    subsets: SubExplanations | None
    evaluations: int


def probe_sets(
    sets: Iterable[KnownSet],
    classifier: Classifier,
    conditions: Sequence[str],
    repetitions: int = 10,
    subsets: Subsets | None = None,
    in_flight: int = 8,
) -> Iterator[Probed]:
    """Yield what the model says of each set under each condition, in the order of the sets.

    Answers do not depend on the classifier's batch size or workers, on `in_flight`, or on the other sets: each question
    is evaluated in a batch of one. Sets are read lazily.

    Args:
        sets: known sets of the model that is asked.
        classifier: the model.
        conditions: names of `CONDITIONS`.
        repetitions: variants of those that are drawn by chance.
        subsets: how parts of the sets are asked about; None leaves that out.
        in_flight: questions under way at the same time.
    """

    def jobs() -> Iterator[Job[_Part]]:
        for known in sets:
            for name in conditions:
                yield from _under(known, name, repetitions)
            if subsets is not None:
                yield Job(known.picture, _of_subsets(known, subsets))
            yield Job(known.picture, _end())

    probes: list[Probe] = []
    found: SubExplanations | None = None
    for part in run_searches(jobs(), classifier, in_flight):
        if part.end:
            asked = sum(probe.answer is not None for probe in probes) + (found.evaluations if found else 0)
            yield Probed(tuple(probes), found, asked)
            probes, found = [], None
        probes += part.probes
        found = part.subsets or found


def ask_about(
    questions: Iterable[tuple[Picture, Sequence[Mask], int]], classifier: Classifier, in_flight: int = 8
) -> Iterator[tuple[Answer, ...]]:
    """Yield, for each picture with its masks (h, w) and a class, an answer a mask; each asked alone."""
    jobs = (Job(picture, _answers(masks, label)) for picture, masks, label in questions)
    return run_searches(jobs, classifier, in_flight)


@dataclass(frozen=True)
class _Part:
    """Some of what is asked about a set; the last one of a set says so."""

    probes: tuple[Probe, ...] = ()
    subsets: SubExplanations | None = None
    end: bool = False


def _under(known: KnownSet, name: str, repetitions: int) -> Iterator[Job[_Part]]:
    """A question for each picture that a condition shows."""
    try:
        variants = CONDITIONS[name].variants(known, repetitions)
    except NotAskedError as error:
        yield Job(known.picture, _told(Probe(name, 0, None, str(error))))
        return
    first = 0
    for _, group in groupby(variants, key=lambda variant: id(variant[0])):
        together = list(group)
        yield Job(together[0][0], _probed(name, first, [mask for _, mask in together], known.label))
        first += len(together)


def _probed(name: str, first: int, masks: Sequence[Mask], label: int) -> Search[_Part]:
    answers = yield from _answers(masks, label)
    return _Part(tuple(Probe(name, number, answer) for number, answer in enumerate(answers, first)))


def _answers(masks: Sequence[Mask], label: int) -> Search[tuple[Answer, ...]]:
    if not len(masks):
        return ()
    shape: Any = masks[0].shape
    question = Masks(shape, alone=True, label=label, target=label, masks=np.stack(masks))
    reply = with_log_odds((yield question), question)
    found = zip(reply.labels.tolist(), confidences(reply, label).tolist(), strict=True)
    return tuple(Answer(int(top), confidence) for top, confidence in found)


def _of_subsets(known: KnownSet, subsets: Subsets) -> Search[_Part]:
    return _Part(subsets=(yield from sub_explanations(known, subsets)))


def _told(probe: Probe) -> Search[_Part]:
    """Of what is not asked."""
    yield from ()
    return _Part((probe,))


def _end() -> Search[_Part]:
    yield from ()
    return _Part(end=True)
