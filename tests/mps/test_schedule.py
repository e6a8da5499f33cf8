"""Packing: what must be alone is, batches are full, and how far a batch is off reaches the search."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.types import Reply, Slice

SHAPE = (64, 64)
KNOWN = blob(SHAPE, 20, 24, 12)


def rows_of(batch: Sequence[Slice]) -> int:
    return sum(part.stop - part.start for part in batch)


class Watched(FakeClassifier):
    """A fake that keeps what each call held: its rows, and of how many of them it was said that they must be alone."""

    def __init__(self, batch_size, workers, apart):
        super().__init__(at_least(KNOWN, 60), batch_size, workers)
        self.together, self.alone, self.threads = [], [], set()
        if apart:
            self.classify_alone = self._alone

    def classify(self, batch):
        must_be_alone = [part for part in batch if part.mutants.alone]
        if must_be_alone:
            self.alone.append((rows_of(batch), len(batch)))
        else:
            self.together.append(rows_of(batch))
        return super().classify(batch)

    def _alone(self, batch):
        assert all(part.mutants.alone for part in batch)
        self.threads.add(threading.current_thread().name)
        return super().classify(batch)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("strategy", ["rex", "minimal"])
def test_batches_are_full_and_what_must_be_alone_is(strategy, workers, apart):
    classifier = Watched(64, workers, apart)
    images = [(f"image {i}", blank(SHAPE)) for i in range(48)]
    list(extract_mps(images, classifier, SearchConfig(strategy), in_flight=16))
    assert sum(classifier.together) > 0.9 * 64 * len(classifier.together)
    assert set(classifier.alone) <= {(1, 1)}
    assert bool(classifier.alone) != apart
    assert all("alone" in name for name in classifier.threads)


def test_no_image_waits_behind_another_ones_question_that_must_be_alone():
    """With one worker, the second image's question comes into the first one's batch."""
    classifier = Watched(512, 1, apart=False)
    list(extract_mps([(str(i), blank(SHAPE)) for i in range(4)], classifier, SearchConfig(iterations=4)))
    assert max(classifier.together) == 4 * 4 * 14


class OffInCompany(FakeClassifier):
    """Labels by a rule, but in company the logits of target and rival are off, by as much as it knows and says."""

    def __init__(self, off, said):
        super().__init__(at_least(KNOWN, 60))
        self.off, self.said = off, said

    def classify(self, batch):
        masks = [part.mutants.mask(row) for part in batch for row in range(part.start, part.stop)]
        kept = np.array([int((mask & KNOWN).sum()) for mask in masks])
        signed = (kept - 59.5) / 50 + (0 if batch[0].mutants.alone else self.off)
        labels = np.where(signed > 0, 1, 0)
        confidences = (1 / (1 + np.exp(-np.abs(signed)))).astype(np.float32)
        reply = Reply(labels, confidences, np.abs(signed).astype(np.float32))
        return reply if batch[0].mutants.alone else replace(reply, tolerance=self.said)


def test_answers_within_what_a_batch_may_be_off_are_asked_again():
    config = SearchConfig(iterations=3, chunk_size=1, keep_landscape=True)
    (exact,) = extract_mps([("x", blank(SHAPE))], OffInCompany(0.0, 0.0), config)
    (wrong,) = extract_mps([("x", blank(SHAPE))], OffInCompany(0.3, 0.0), config)
    (mended,) = extract_mps([("x", blank(SHAPE))], OffInCompany(0.3, 0.31), config)
    assert not np.array_equal(exact.landscape, wrong.landscape)
    np.testing.assert_array_equal(exact.landscape, mended.landscape)
    np.testing.assert_array_equal(exact.mask, mended.mask)
    assert exact.evaluations == mended.evaluations


def test_only_the_distance_of_the_target_to_the_best_other_class_makes_an_answer_near():
    """Margins are those of the target once there is one: `Mutants.target` names it in every question."""
    targets = []

    class Asked(FakeClassifier):
        def classify(self, batch):
            targets.extend(part.mutants.target for part in batch)
            return super().classify(batch)

    list(extract_mps([("x", blank(SHAPE))], Asked(at_least(KNOWN, 60)), SearchConfig(iterations=2)))
    assert targets[0] == -1
    assert set(targets[1:]) == {1}
