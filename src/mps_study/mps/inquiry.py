"""What one image has been asked so far: memory, counts, a budget, and a second look at narrow margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mps_study.mps.anytime import Anytime
from mps_study.mps.common.evidence import with_log_odds
from mps_study.mps.common.memory import Memory
from mps_study.mps.common.slack import near_a_step, slack
from mps_study.mps.common.smallest import Smallest, improvements
from mps_study.mps.common.terms import Terms
from mps_study.mps.mutants import Mutants, Shape, Within
from mps_study.mps.types import Reply, Search, Target

_DECIMALS = 4


class BudgetSpent(Exception):
    """The next question costs more evaluations than the budget leaves; what it leaves is spent on part of it."""


class Inquiry:
    """Asks for one image on behalf of its searches.

    No mutant is evaluated twice but by `ask_anew`. A reply is asked again in a batch of one where the logits of the
    target and of the best other class lie within `margin_tolerance` of each other, or its confidence that near
    (relatively) to one of `edges`, where passing is decided, or its log-odds that near to where they are rounded to
    another step (see `evidence`): rounding differs between batch shapes, and the answer must not. Where the classifier
    knows that its batches are off by more than `margin_tolerance` (`Reply.tolerance`), that counts.

    `terms` are the search's, `shape` (h, w) and `key` the image's.

    `calls` is kept by the strategies (see `MpsRecord.calls`), `evaluations` here. Under a budget `candidate` is the
    smallest set (one mutant) that has passed in company so far, whoever asked about it and why, and `verified` the
    smallest that has passed alone; one evaluation is always kept back so that the candidate can be verified.

    `share` of the original confidence is what a set must reach now. Where `allowed` (h, w) bool is set, mutants keep
    none of the other pixels. `given_map` (h, w) is what the caller ranks pixels by, if anything.
    `tied`: the two best classes of the whole image lie within `margin_tolerance`.

    Where another class is asked for than the top-1 of the whole image, `top` is that one, and passing is by the share
    of the confidence alone: in every reply the confidence is the target's, and a mutant has the target's label where
    that reaches the floor. Searches need not know.
    """

    def __init__(self, terms: Terms, shape: Shape, key: str, given_map: NDArray[np.float32] | None = None) -> None:
        self.terms, self.shape, self.key = terms, shape, key
        self.given_map = given_map
        self.share = terms.minimum_confidence_threshold
        self.allowed: NDArray[np.bool_] | None = None
        self.target = Target(-1, float("nan"))
        self.top: int | None = None
        self.tied = False
        self.edges: tuple[float, ...] = ()
        self.verified = Smallest()
        self.anytime = Anytime(shape) if terms.anytime else None
        self._company = Smallest()
        self.calls = 0
        self.evaluations = 0
        self.slack_counts = False
        self._memory = Memory()

    def aim(self, whole: Reply, wanted: int | None = None) -> None:
        """Set the class that is to be kept, and watch the confidences at which passing begins.

        It is the one on top of the reply to the whole image, or the one that is wanted, whose log-odds that reply says.
        """
        top = int(whole.labels[0])
        if wanted is None or top in (wanted, -1):
            self.target = Target(top, float(whole.confidences[0]))
        else:
            self.target, self.top = Target(wanted, float(_shares(whole)[0])), top
        floors = {self.floor(share) for share in (self.share, *self.terms.floors)}
        half = 0.0 if self.by_share else 0.5 * 10.0**-_DECIMALS
        self.watch(*(demanded - half for demanded in sorted(floors) if demanded > 0))

    @property
    def by_share(self) -> bool:
        """Whether the target is not on top of the whole image, so that its confidence alone decides."""
        return self.top is not None

    @property
    def candidate(self) -> Mutants | None:
        """The smallest set that has passed in company; None forgets it and what passed alone, as other terms begin."""
        return self._company.mutant

    @candidate.setter
    def candidate(self, mutant: Mutants | None) -> None:
        if mutant is None:
            self._company, self.verified = Smallest(), Smallest()
        elif self.terms.budget is not None:
            self._company.take(self._restricted(mutant), np.ones(1, dtype=bool))

    @property
    def left(self) -> int | None:
        """Evaluations that the budget leaves for questions in company; None without a budget."""
        return None if self.terms.budget is None else max(0, self.terms.budget - self.evaluations - 1)

    def watch(self, *edges: float) -> None:
        """Ask replies again, alone, whose confidence is near to one of these from now on."""
        self.edges += tuple(edge for edge in edges if edge not in self.edges)

    def floor(self, share: float | None = None) -> float:
        """The confidence that a set must reach, rounded to four decimals; 0 where the class alone decides.

        For the present share of the original confidence, or another one.
        """
        share = self.share if share is None else share
        demanded = max(self.target.confidence * share, self.terms.confidence_floor)
        return demanded if self.by_share else round(demanded, _DECIMALS)  # a class that is not on top may have little

    def passes(self, reply: Reply) -> NDArray[np.bool_]:
        """(n,) whether each mutant has the target class with the demanded confidence.

        Confidences are compared after rounding to four decimals, as rex-xai does; of a class that is not on top of the
        whole image as they are.
        """
        if self.by_share:
            return self._reaches_floor(reply.confidences)
        same: NDArray[np.bool_] = reply.labels == self.target.label
        if self.floor() > 0:
            same &= np.round(reply.confidences, _DECIMALS) >= self.floor()
        return same

    def slack(self, reply: Reply) -> NDArray[np.int64]:
        """(n,) how far each mutant is from failing, or from passing, in steps of 1/16 nat (see `common/slack.py`).

        Whoever reads it sets `slack_counts` before its first question, so that what lies near a step is asked again.
        """
        return slack(reply, self.target.label, self.floor(), self.passes(reply), self.by_share)

    def _reaches_floor(self, confidences: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(n,) whether the target's confidences reach the floor; nothing does where there is none."""
        floor = np.float32(self.floor())
        reached: NDArray[np.bool_] = (floor > 0) & (confidences >= floor)
        return reached

    def heard(self, reply: Reply) -> Reply:
        """A reply as searches are told it: of the target, where its confidence alone decides."""
        if not self.by_share:
            return reply
        shares = _shares(reply)
        labels = np.where(self._reaches_floor(shares), self.target.label, reply.labels)
        return replace(reply, labels=labels, confidences=shares)

    def _full(self, reply: Reply, mutants: Mutants) -> Reply:
        """The reply with log-odds wherever a class was named (`evidence.py`)."""
        if self.by_share and (reply.log_odds is None or np.isnan(reply.log_odds[reply.labels >= 0]).any()):
            raise ValueError(
                f"image {self.key!r}: class {self.target.label} is not on top, and the classifier does not say how "
                "near it is; its replies need log_odds"
            )
        return with_log_odds(reply, mutants)

    def ask(self, mutants: Mutants) -> Search[Reply]:
        """Labels, confidences and, where a class is named, log-odds of the mutants, from memory where known.

        Raises:
            BudgetSpent: once as many of them were asked, in order, as the budget leaves.
        """
        mutants = self._restricted(mutants)
        digests: list[int] = mutants.digests().tolist()
        memory = self._memory
        new: dict[int, int] = {}
        for row, digest in enumerate(digests):
            if digest not in memory:
                new.setdefault(digest, row)
        if new:
            rows = np.fromiter(new.values(), dtype=np.intp, count=len(new))[: self.left]
            if len(rows):
                fresh = mutants if len(rows) == len(digests) else mutants.take(rows, mutants.alone)
                memory.take(list(new)[: len(rows)], (yield from self._evaluate(fresh)))
            if len(rows) < len(new):
                raise BudgetSpent
        return self.heard(memory.reply(digests, mutants.label))

    def ask_alone(self, mutants: Mutants) -> Search[Reply]:
        """The same, each evaluated in a batch of one, unless it was before; memory takes these replies for the truth.

        Raises:
            BudgetSpent: before anything is asked.
        """
        mutants = self._restricted(mutants)
        digests: list[int] = mutants.digests().tolist()
        new = {digest: row for row, digest in enumerate(digests) if not self._memory.settled(digest, mutants.label)}
        if new:
            alone = mutants.take(np.fromiter(new.values(), dtype=np.intp, count=len(new)), alone=True)
            self._spend(len(new))
            reply = self._full((yield alone), alone)
            self._memory.take(new, reply, alone=True)
            if not alone.soft:
                self.verified.take(alone, self.passes(self.heard(reply)))
        return self.heard(self._memory.reply(digests, mutants.label))

    def ask_anew(self, mutants: Mutants) -> Search[Reply]:
        """The model's own reply, margins included, each mutant in a batch of one, whatever memory knows of it.

        Raises:
            BudgetSpent: before anything is asked.
        """
        alone = mutants.take(np.arange(len(mutants)), alone=True)
        self._spend(len(alone))
        reply = self._full((yield alone), alone)
        self._memory.take(alone.digests().tolist(), reply, alone=True)
        return self.heard(reply)

    def visible(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What a mutant of this mask (h, w) really keeps."""
        return mask if self.allowed is None else mask & self.allowed

    def _restricted(self, mutants: Mutants) -> Mutants:
        """The mutants as they are asked: of the allowed pixels only, and with the class that decides."""
        target = self.target.label
        label = target if self.by_share else mutants.label
        if self.allowed is None:
            return replace(mutants, label=label, target=target)
        return Within(mutants.shape, mutants.alone, label, target, inner=mutants, allowed=self.allowed)

    def _spend(self, evaluations: int) -> None:
        budget = self.terms.budget
        if budget is not None and self.evaluations + evaluations > budget:
            raise BudgetSpent
        self.evaluations += evaluations

    def _evaluate(self, fresh: Mutants) -> Search[Reply]:
        """The reply to mutants that were never asked; minds the smallest that pass, where anybody wants to know."""
        before = self.evaluations
        self._spend(len(fresh))
        reply = yield from self._settle(fresh)
        if not fresh.soft and (self.terms.budget is not None or self.anytime):
            passing = self.passes(self.heard(reply))
            if self.terms.budget is not None:
                self._company.take(fresh, passing)
            if self.anytime:
                for row, pixels in improvements(fresh, passing, self.anytime.least):
                    alone = fresh.take(np.array([row]), alone=True)
                    again = self._full((yield alone), alone)
                    holds = bool(self.passes(self.heard(again))[0])
                    self.anytime = self.anytime.checked(before + row + 1, pixels, holds)
        return reply

    def _settle(self, mutants: Mutants) -> Search[Reply]:
        reply = self._full((yield mutants), mutants)
        if reply.margins is None or mutants.alone:
            return reply
        tolerance = max(self.terms.margin_tolerance, reply.tolerance)
        close = reply.margins < tolerance
        confidences = _shares(reply) if self.by_share else reply.confidences
        for edge in self.edges:
            close |= np.abs(confidences - edge) < tolerance * edge
        if reply.log_odds is not None:
            close |= near_a_step(reply.log_odds, tolerance) & np.isfinite(reply.margins)
        if self.slack_counts:
            close |= near_a_step(reply.margins, tolerance)
        narrow = np.flatnonzero(close)
        if not narrow.size:
            return reply
        alone = mutants.take(narrow, alone=True)
        again = self._full((yield alone), alone)
        labels, confidences, margins = reply.labels.copy(), reply.confidences.copy(), reply.margins.copy()
        labels[narrow], confidences[narrow], margins[narrow] = again.labels, again.confidences, again.margins
        log_odds = reply.log_odds
        if log_odds is not None and again.log_odds is not None:
            log_odds = log_odds.copy()
            log_odds[narrow] = again.log_odds
        return Reply(labels, confidences, margins, log_odds)


def _shares(reply: Reply) -> NDArray[np.float32]:
    """(n,) the confidence of the class that was named, from its log-odds; NaN where the output was not finite."""
    assert reply.log_odds is not None
    with np.errstate(over="ignore"):
        shares = 1 / (1 + np.exp(-reply.log_odds.astype(np.float64)))
    finite: NDArray[np.float32] = np.where(reply.labels < 0, np.nan, shares).astype(np.float32)
    return finite
