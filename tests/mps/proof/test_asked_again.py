"""What a record says of its sets holds when the model is asked again, under every baseline; and only if it is true."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeClassifier, at_least, blank, blob

from mps_study.mps.config import SearchConfig
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.proof.verification import verify_records
from mps_study.mps.search import extract_mps
from mps_study.mps.types import Reply

SHAPE = (24, 28)
RULE = at_least(blob(SHAPE, 6, 9, 7), 30)
OTHER = np.random.default_rng(9).random((3, *SHAPE), dtype=np.float32)


class Seeing:
    """Looks at the painted pixels: a linear score against a threshold, so that the baseline matters."""

    batch_size, workers = 8, 1
    weights = np.random.default_rng(3).normal(size=(3, *SHAPE)).astype(np.float32)
    weights -= weights.mean()

    def classify(self, batch):
        out = np.empty((3, *SHAPE), dtype=np.float32)
        scores = []
        for part in batch:
            for row in range(part.start, part.stop):
                part.mutants.paint(row, part.picture, out)
                scores.append(float((out * self.weights).sum()))
        share = 1 / (1 + np.exp(-np.array(scores) / 20))
        return Reply((share > 0.5).astype(np.int64), np.maximum(share, 1 - share).astype(np.float32))


def images(n):
    """Random images."""
    random = np.random.default_rng(1)
    return [(f"image {i}", random.random((3, *SHAPE), dtype=np.float32)) for i in range(n)]


@pytest.mark.parametrize("baseline", ["noise", "blur", {"kind": "image", "path": "x"}, 0.0])
@pytest.mark.parametrize("strategy", ["minimal", "rex", "contrastive"])
def test_all_that_a_study_records_holds_when_it_is_asked_again(baseline, strategy):
    more = {"floors": [0.7], "several": 2} if strategy != "contrastive" else {"contrastive_threshold": 0.5}
    quick = {} if strategy == "minimal" else {"iterations": 2}
    config = SearchConfig(strategy, baseline=baseline, seed=4, **quick, **more)
    given = images(6)
    records = list(extract_mps(given, Seeing(), config, baseline_image=OTHER))
    pairs = [(record, pixels) for record, (_, pixels) in zip(records, given, strict=True)]
    asked = list(verify_records(pairs, Seeing(), config, baseline_image=OTHER))
    assert len(asked) == 6
    verified = [each for found in asked for each in found]
    assert [each for each in verified if not each.holds] == []
    assert {each.key for each in verified} == {record.key for record in records if record.mask is not None}
    kinds = {each.what for each in verified}
    assert kinds >= {"class", "set"} or not any(record.mask is not None for record in records)
    if strategy == "minimal":
        assert {"set, certificate", "set at floor 0.7, certificate"} <= kinds
        for record, pixels in pairs:
            assert check_certificate(record, pixels, Seeing(), config, OTHER).holds


def test_another_seed_is_another_noise_and_its_certificates_do_not_hold():
    config = SearchConfig("minimal", baseline="noise", seed=4)
    given = images(6)
    records = list(extract_mps(given, Seeing(), config))
    wrong = [
        check_certificate(record, pixels, Seeing(), SearchConfig("minimal", baseline="noise", seed=5)).holds
        for record, (_, pixels) in zip(records, given, strict=True)
    ]
    assert not all(wrong)


def record(**config):
    (found,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(RULE), SearchConfig(**config))
    return found, SearchConfig(**config)


def falsehoods(found, config, rule=RULE):
    """what -> reason of whatever does not hold."""
    classifier = FakeClassifier(rule)
    (asked,) = verify_records([(found, blank(SHAPE))], classifier, config)
    assert set(classifier.batches) <= {1}
    return {each.what: each.reason for each in asked if not each.holds}


EMPTY = np.zeros(SHAPE, dtype=bool)


@pytest.mark.parametrize(
    ("change", "what", "reason"),
    [
        (lambda r: replace(r, mask=EMPTY), "set", "does not pass alone"),
        (lambda r: replace(r, target=replace(r.target, label=7)), "class", "class 1, not 7"),
        (lambda r: replace(r, floors=(replace(r.floors[0], mps=replace(r.floors[0].mps, mask=r.mask)),)),
         "set at floor 0.9", "does not pass alone"),
        (lambda r: replace(r, further=(replace(r.further[0], mask=EMPTY),)), "further set 2", "does not pass alone"),
        (lambda r: replace(r, further=(replace(r.further[0], mask=r.further[0].mask | blob(SHAPE, 20, 20, 2)),)),
         "further set 2, certificate", "deletions were tested"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_does_not_hold(change, what, reason):
    found, config = record(strategy="minimal", granularity=2, floors=[0.9], several=2, overlap=0.9)
    assert found.further and falsehoods(found, config) == {}
    assert reason in falsehoods(change(found), config)[what]


def test_a_contrast_is_asked_again():
    found, config = record(strategy="contrastive", iterations=2, contrastive_threshold=0.0)
    assert falsehoods(found, config) == {}
    assert falsehoods(replace(found, contrast=5), config) == {"set, contrast": "without the set the class is 0"}


def test_a_record_without_a_set_has_nothing_to_ask():
    (found,) = extract_mps([("image", blank(SHAPE))], FakeClassifier(lambda _: -1), SearchConfig())
    classifier = FakeClassifier(RULE)
    assert list(verify_records([(found, blank(SHAPE))], classifier, SearchConfig())) == [[]]
    assert classifier.batches == []


def test_a_mask_of_another_size_is_refused():
    found, config = record(iterations=2)
    with pytest.raises(ValueError, match="image 'image': a mask is"):
        list(verify_records([(found, blank((10, 10)))], FakeClassifier(RULE), config))
