"""The certificate of a minimal set holds when it is true, and only then."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study.mps.config import SearchConfig
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.search import extract_mps

SHAPE = (24, 28)
RULE = at_least(blob(SHAPE, 6, 9, 7), 30)
CONFIG = SearchConfig("minimal", granularity=2)


def search(rule=RULE, config=CONFIG):
    (record,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(rule), config)
    return record


def check(record, rule=RULE, config=CONFIG):
    classifier = FakeClassifier(rule)
    return check_certificate(record, blank(SHAPE), classifier, config), classifier


def test_a_true_certificate_holds_and_every_deletion_is_asked_alone():
    record = search()
    verdict, classifier = check(record)
    assert verdict.holds
    assert classifier.batches == [1] * (2 + record.certificate.deletions)


def test_the_empty_set_of_a_baseline_that_passes_is_minimal():
    assert check(search(lambda mask: 1), lambda mask: 1)[0].holds


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: replace(r, mask=r.mask | blob(SHAPE, 20, 20, 2)), "deletions were tested"),
        (lambda r: replace(r, mask=r.mask ^ blob(SHAPE, 20, 20, 1)), "whole tiles"),
        (lambda r: replace(r, certificate=replace(r.certificate, deletions=3)), "3 deletions"),
        (lambda r: replace(r, certificate=replace(r.certificate, floor=0.3)), "floor"),
        (lambda r: replace(r, target=replace(r.target, label=7)), "class 1, not 7"),
        (lambda r: moved(r), "does not pass"),
        (lambda r: grown(r), "can be deleted"),
    ],
)
def test_a_record_that_was_tampered_with_does_not_hold(change, reason):
    verdict, _ = check(change(search()))
    assert not verdict.holds
    assert reason in verdict.reason


def moved(record):
    """The same number of tiles, elsewhere."""
    return replace(record, mask=np.roll(record.mask, 6, axis=0))


def grown(record):
    """One tile too many, and counted."""
    more = replace(record.certificate, deletions=record.certificate.deletions + 1)
    return replace(record, mask=record.mask | blob(SHAPE, 20, 20, 2), certificate=more)


def test_a_certificate_does_not_hold_for_another_model():
    verdict, _ = check(search(), at_least(blob(SHAPE, 6, 9, 7), 20))
    assert not verdict.holds


def test_without_a_certificate_there_is_nothing_to_check():
    record = search(config=SearchConfig("rex", iterations=2))
    with pytest.raises(ValueError, match="no certificate"):
        check(record)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="the mask is"):
        check_certificate(search(), blank((10, 10)), FakeClassifier(RULE), CONFIG)
