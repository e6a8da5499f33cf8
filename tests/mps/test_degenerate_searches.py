"""Images for which a minimal set means little: each has a status of its own, is recorded, and is counted."""

import numpy as np
import pandas as pd
import pytest
from fakes import FakeClassifier, at_least, blank, blob, quick

from mps_study import SearchConfig
from mps_study.measures.areas import measure_areas
from mps_study.measures.summary import summarise_models
from mps_study.mps.search import extract_mps
from mps_study.mps.types import BASELINE, BUDGET, FOUND, STATUSES, TIED, UNREPEATABLE, UNSTABLE, Reply

SHAPE = (24, 24)
KNOWN = blob(SHAPE, 4, 6, 6)
STRATEGIES = ["rex", "minimal", "contrastive", "complete"]


class Margins(FakeClassifier):
    """Says how far the two best logits of the whole image lie apart."""

    margin = 1.0

    def classify(self, batch):
        reply = super().classify(batch)
        whole = [part.mutants.mask(row).all() for part in batch for row in range(part.start, part.stop)]
        margins = np.where(whole, self.margin, 1.0).astype(np.float32)
        return Reply(reply.labels, reply.confidences, margins)


class Forgets(FakeClassifier):
    """Gives the whole image its class once only, or every time that it is `faithful`."""

    faithful = False
    asked = 0

    def classify(self, batch):
        reply = super().classify(batch)
        whole = [part.mutants.mask(row).all() for part in batch for row in range(part.start, part.stop)]
        labels = reply.labels.copy()
        for row in np.flatnonzero(whole):
            self.asked += 1
            labels[row] = 1 if self.faithful or self.asked == 1 else 0
        return Reply(labels, reply.confidences)


def search(classifier, strategy="rex", **changes):
    """The record of one blank image."""
    config = SearchConfig(strategy=strategy, **quick(strategy), **changes)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    assert record.status in STATUSES
    assert record.reason == ("" if record.status == FOUND else STATUSES[record.status])
    return record


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("margin", "tolerance", "status"),
    [(1e-4, 1e-3, TIED), (0.0, 1e-3, TIED), (0.0, 0.0, TIED), (2e-3, 1e-3, FOUND), (1e-4, 1e-5, FOUND)],
)
def test_a_top_1_within_rounding_is_tied_and_keeps_its_set(strategy, margin, tolerance, status):
    classifier = Margins(at_least(KNOWN, 20))
    classifier.margin = margin
    record = search(classifier, strategy, margin_tolerance=tolerance)
    assert record.status == status
    assert record.mask is not None and (record.mask & KNOWN).sum() >= 20


def test_a_tie_is_said_of_a_class_that_the_baseline_gives_and_of_a_spent_budget_too():
    for rule, changes, otherwise in (
        (lambda mask: 1, {}, BASELINE),
        (at_least(KNOWN, 20), {"budget": 30}, BUDGET),
    ):
        classifier = Margins(rule)
        assert search(classifier, **changes).status == otherwise
        classifier.margin = 0.0
        assert search(classifier, **changes).status == TIED


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_top_1_that_does_not_survive_its_own_evaluation_is_unrepeatable_and_has_no_set(strategy):
    """Only the whole image ever had the class, and only once: memory alone would call all of it a sufficient set."""
    record = search(Forgets(lambda mask: 0), strategy)
    assert (record.status, record.mask, record.pixels) == (UNREPEATABLE, None, None)
    assert np.isnan(record.area) and np.isnan(record.confidence)


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
def test_a_set_that_is_the_whole_image_has_passed_twice(strategy):
    classifier = Forgets(lambda mask: 0)
    classifier.faithful = True
    record = search(classifier, strategy)
    assert record.status == FOUND and record.mask.all()
    assert classifier.asked >= 2


def test_no_set_although_the_whole_image_repeats_is_unstable():
    """Removal of any set keeps the class: there is no contrastive set."""
    record = search(FakeClassifier(lambda mask: 1), "contrastive")
    assert (record.status, record.mask) == (UNSTABLE, None)


@pytest.mark.parametrize(("strategy", "pixels"), [("rex", 10), ("minimal", 0)])
def test_where_the_empty_image_gives_the_class_the_minimal_set_is_empty(strategy, pixels):
    record = search(FakeClassifier(lambda mask: 1), strategy)
    assert (record.status, record.pixels) == (BASELINE, pixels)
    assert record.area == pytest.approx(pixels / 576)


def test_every_status_is_counted_and_only_found_sets_enter_the_means():
    sizes = {status: 10 if status == FOUND else 500 for status in STATUSES}
    rows = [
        {
            "image": status, "model": "m", "fingerprint": "f", "target": 1, "status": status,
            "reason": STATUSES[status], "pixels": sizes[status], "height": 24, "width": 24, "confidence": 0.9,
            "target_confidence": 0.9, "calls": 1, "evaluations": 1,
        }
        for status in STATUSES
    ]  # fmt: skip
    manifest = pd.DataFrame({"image": list(STATUSES), "half": "labelled", "label": 1})
    areas = measure_areas(pd.DataFrame(rows), manifest, {"m": "A"})
    assert areas["status"].tolist() == list(STATUSES)
    summary = summarise_models(areas, resamples=10).iloc[0]
    assert summary["n_not_found"] == len(STATUSES) - 1
    assert summary["area_labelled"] == pytest.approx(10 / 576)
    assert summary["area_labelled_n"] == 1
