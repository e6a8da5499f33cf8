"""Where a decision hangs by a hair: at the floor, near an edge in company, near an evidence step, off the image."""

from itertools import pairwise

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study.mps.config import SearchConfig
from mps_study.mps.inquiry import Inquiry
from mps_study.mps.mutants import Masks
from mps_study.mps.search import extract_mps
from mps_study.mps.several import INITIAL_RADIUS, _discs
from mps_study.mps.types import FOUND, UNSTABLE, Reply

SHAPE = (24, 28)
KNOWN = blob(SHAPE, 6, 8, 6)


@pytest.mark.parametrize(
    "config",
    [SearchConfig(confidence_floor=0.5), SearchConfig(minimum_confidence_threshold=0.625)],
    ids=["absolute", "share"],
)
def test_a_confidence_exactly_at_the_floor_passes_and_one_that_rounds_below_it_does_not(config):
    inquiry = Inquiry(config, SHAPE, "image")
    inquiry.aim(Reply(np.array([1]), np.array([0.8], dtype=np.float32)))
    assert inquiry.floor() == 0.5
    confidences = np.array([0.5, 0.50004, 0.49996, 0.49994, 0.4999, 0.9], dtype=np.float32)
    reply = Reply(np.array([1, 1, 1, 1, 1, 0]), confidences)
    assert inquiry.passes(reply).tolist() == [True, True, True, False, False, False]


def test_a_confidence_is_near_the_edge_where_rounding_lets_it_pass():
    """0.62995 rounds to 0.63, which is demanded; what lies 0.00002 below it may be above it alone."""
    inquiry = Inquiry(SearchConfig(confidence_floor=0.63, margin_tolerance=1e-4), SHAPE, "image")
    inquiry.aim(Reply(np.array([1]), np.array([0.8], dtype=np.float32)))
    question = inquiry.ask(Masks(SHAPE, masks=KNOWN[None]))
    assert not next(question).alone
    far = np.array([9.0], dtype=np.float32)
    assert question.send(Reply(np.array([1]), np.array([0.62993], dtype=np.float32), far)).alone


class Wobbling(FakeClassifier):
    """In company, confidences and log-odds are off, one row up and the next down; labels never are."""

    by = 0.0
    odds_by = 0.0
    score = None

    def classify(self, batch):
        reply = super().classify(batch)
        masks = [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]
        sign = np.where(np.arange(len(masks)) % 2, 1, -1) * (len(masks) > 1)
        odds = None
        if self.score is not None:
            odds = (np.array([self.score(mask) for mask in masks]) + sign * self.odds_by).astype(np.float32)
        confidences = (reply.confidences + sign * self.by).astype(np.float32)
        return Reply(reply.labels, confidences, np.full(len(masks), 9.0, dtype=np.float32), odds)


def found(config, batch_size, by=0.0, odds_by=0.0, score=None):
    """The record, and how many rows were asked alone."""
    classifier = Wobbling(at_least(KNOWN, 9), batch_size)
    classifier.by, classifier.odds_by, classifier.score = by, odds_by, score
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    return record, classifier.batches.count(1)


@pytest.mark.parametrize(
    "config",
    [
        SearchConfig("rex", iterations=3, minimum_confidence_threshold=0.7, chunk_size=1),
        SearchConfig("rex", iterations=3, confidence_floor=0.63, floors=[0.8, 0.9], chunk_size=1),
        SearchConfig("rex", iterations=3, confidence_filter=0.7),
        SearchConfig("minimal", granularity=1, minimum_confidence_threshold=0.7),
        SearchConfig("contrastive", iterations=3, contrastive_threshold=0.7, chunk_size=1),
        SearchConfig("complete", iterations=3, contrastive_threshold=0.7, chunk_size=1),
    ],
    ids=["share", "floors", "filter", "minimal", "contrastive", "complete"],
)
def test_confidences_near_an_edge_are_settled_alone_whatever_the_company_says(config):
    """A pixel is worth .0006 of confidence, the company takes or adds .0004."""
    alone, _ = found(config, 1)
    assert alone.status == FOUND
    for batch_size in (3, 16):
        record, asked_alone = found(config, batch_size, by=4e-4)
        assert np.array_equal(record.mask, alone.mask)
        assert [at.mps.pixels for at in record.floors] == [at.mps.pixels for at in alone.floors]
        assert asked_alone > 4


@pytest.mark.parametrize("most", [0, 2])
@pytest.mark.parametrize("offset", [0.0, 0.5, 0.497, 0.503])
def test_log_odds_near_an_evidence_step_are_settled_alone(offset, most):
    """Each pixel of a field is worth some whole steps of 1/16 nat, and all lie that far from a whole one."""
    worth = np.random.default_rng(2).integers(0, most + 1, SHAPE) if most else np.ones(SHAPE, dtype=int)

    def score(mask):
        return (float((worth * mask).sum()) + offset) / 16 - 8

    config = SearchConfig("minimal", granularity=2)
    alone, _ = found(config, 1, score=score)
    for batch_size in (3, 16):
        record, _ = found(config, batch_size, odds_by=4e-4, score=score)
        assert np.array_equal(record.mask, alone.mask)
        assert record.evaluations == alone.evaluations


class Screen(FakeClassifier):
    """In company, what is near to a decision gets the other class; it says how far its margins can be off."""

    off = 0.04

    def classify(self, batch):
        reply = super().classify(batch)
        masks = [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]
        margins = np.array([abs((mask & KNOWN).sum() - 8.5) / 100 for mask in masks], dtype=np.float32)
        if len(masks) == 1:
            return Reply(reply.labels, reply.confidences, margins)
        wrong = margins < self.off
        return Reply(np.where(wrong, 1 - reply.labels, reply.labels), reply.confidences, margins, tolerance=self.off)


@pytest.mark.parametrize("config", [SearchConfig("rex", iterations=3, chunk_size=1), SearchConfig("minimal")])
def test_answers_within_the_tolerance_that_the_classifier_says_are_asked_alone(config):
    rule = at_least(KNOWN, 9)
    (alone,) = extract_mps([("image", blank(SHAPE))], Screen(rule, 1), config)
    (record,) = extract_mps([("image", blank(SHAPE))], Screen(rule, 16), config)
    assert (record.status, record.evaluations) == (FOUND, alone.evaluations)
    assert np.array_equal(record.mask, alone.mask)


@pytest.mark.parametrize("shape", [(12, 60), (60, 12)])
def test_spotlights_shine_on_the_image_whichever_side_is_longer(shape):
    random = np.random.default_rng(0)
    draws = [list(_discs(shape, random)) for _ in range(200)]
    smallest = [discs[0] for discs in draws]
    assert all(disc.any() for disc in smallest)
    for axis in (0, 1):
        reached = np.flatnonzero(np.any(smallest, axis=0).any(axis=1 - axis))
        assert reached.tolist() == list(range(shape[axis]))
    radius = INITIAL_RADIUS * 60
    assert max(disc.sum() for disc in smallest) <= np.pi * (radius + 1) ** 2
    assert all(a.sum() <= b.sum() for discs in draws for a, b in pairwise(discs))


def test_an_image_without_the_set_whose_output_is_not_finite_has_no_other_class():
    """With the first 40 pixels goes all of the object: what is left has no class, which is no other class."""
    rising = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)[::-1, ::-1]
    first = np.arange(np.prod(SHAPE)).reshape(SHAPE) < 40

    def rule(mask):
        return 1 if (mask & first).sum() >= 20 else -1

    def search(rule):
        config = SearchConfig("contrastive", ranking="given", chunk_size=40, contrastive_threshold=0.0)
        (record,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(rule), config, maps={"image": rising})
        return record

    record = search(rule)
    assert (record.status, record.mask) == (UNSTABLE, None)
    finite = search(lambda mask: max(rule(mask), 0))
    assert (finite.status, finite.pixels, finite.contrast) == (FOUND, 40, 0)
