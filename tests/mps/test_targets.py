"""Sets of a class that is asked for: on top of the whole image it is searched like the top-1, else by its share."""

import numpy as np
import pytest

from mps.fakes import FakeClassifier, at_least, blank, blob
from mps_study import SearchConfig, extract_mps
from mps_study.models.inference.replies import reply_of_labels, reply_of_logits
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.types import BASELINE, BELOW, FOUND

SHAPE = (24, 24)
HERE, THERE = blob(SHAPE, 2, 3, 6), blob(SHAPE, 14, 12, 8)


class TwoThings:
    """Class 1 by the pixels kept of one blob, class 2 by those of a larger one, which wins; class 0 else."""

    batch_size, workers = 8, 1

    def __init__(self, reply=reply_of_logits):
        self.reply = reply

    def logits(self, masks):
        """(n, 3) of masks (n, h, w)."""
        here, there = ((masks & known).sum(axis=(1, 2)) / known.sum() for known in (HERE, THERE))
        return np.stack([np.full(len(masks), 2.0), 6 * here - 4, 8 * there], axis=1).astype(np.float32)

    def classify(self, batch):
        """A reply as a real classifier gives it."""
        masks = np.concatenate([part.mutants.masks_of(part.start, part.stop) for part in batch])
        sizes = [part.stop - part.start for part in batch]
        named = np.repeat([part.mutants.label for part in batch], sizes)
        targets = np.repeat([part.mutants.target for part in batch], sizes)
        return self.reply(self.logits(masks), named, targets)


def share(mask, label):
    """The softmax of a class with a mask (h, w)."""
    logits = TwoThings().logits(mask[None])[0].astype(np.float64)
    return np.exp(logits[label]) / np.exp(logits).sum()


WHOLE = np.ones(SHAPE, dtype=bool)


def search(config, classifier=None, **targets):
    (record,) = extract_mps([("x", blank(SHAPE))], classifier or TwoThings(), config, **targets)
    return record


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing", "contrastive"])
def test_the_class_on_top_gives_the_record_of_top_1_to_the_bit(strategy):
    config = SearchConfig(strategy)
    one, other = search(config), search(config, targets=2)
    assert other.top is None and other.answer == 2
    assert (one.mask == other.mask).all() and one.confidence == other.confidence and one.status == other.status
    assert one.target == other.target


@pytest.mark.parametrize("strategy", ["rex", "minimal", "group_testing"])
@pytest.mark.parametrize("wanted", [0.5, 0.9, 1.0])
def test_a_class_that_is_not_on_top_keeps_its_share_of_the_confidence(strategy, wanted):
    record = search(SearchConfig(strategy, minimum_confidence_threshold=wanted), targets=1)
    whole = share(WHOLE, 1)
    assert whole < 0.5
    assert (record.target.label, record.top, record.answer) == (1, 2, 2)
    assert record.target.confidence == pytest.approx(whole, rel=1e-5)
    assert record.confidence == pytest.approx(share(record.mask, 1), rel=1e-5)
    assert record.confidence >= wanted * whole * (1 - 1e-6)
    assert record.status == (BASELINE if share(~WHOLE, 1) >= wanted * whole else FOUND)


def test_the_set_speaks_for_the_class_that_is_asked_for_and_not_for_the_one_that_won():
    record = search(SearchConfig("minimal", granularity=1, minimum_confidence_threshold=1.0), targets=1)
    assert record.mask[HERE].sum() > 0 and (record.mask & THERE).sum() == 0
    assert record.mask.sum() == record.mask[HERE].sum()
    assert all(share(record.mask & ~spared, 1) < record.target.confidence for spared in singles(record.mask))


def singles(mask):
    """Each kept pixel by itself, as a mask."""
    for place in np.argwhere(mask):
        one = np.zeros_like(mask)
        one[tuple(place)] = True
        yield one


def test_a_floor_that_is_the_confidence_itself_counts_as_well_and_one_above_the_whole_image_is_said():
    record = search(SearchConfig("minimal", confidence_floor=0.001), targets=1)
    assert 0.001 <= record.confidence < record.target.confidence
    assert search(SearchConfig("minimal", confidence_floor=0.9), targets=1).status == BELOW


def test_without_a_floor_the_record_says_what_is_missing():
    record = search(SearchConfig(), targets=1)
    assert record.status == BELOW and record.mask is None
    assert record.reason.startswith("the model's class is 2, not 1; a class that is not on top passes by its share")
    assert "set minimum_confidence_threshold or confidence_floor above 0" in record.reason
    with pytest.raises(ValueError, match=r"search.target is 'label'; a class that is not on top .* confidence_floor"):
        SearchConfig(target="label")


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_the_set_does_not_depend_on_the_batch(batch_size):
    config = SearchConfig(minimum_confidence_threshold=0.8, iterations=4, several=2, floors=[0.9], curve_steps=4)
    classifier = TwoThings()
    classifier.batch_size = batch_size
    one, other = search(config, classifier, targets=1), search(config, targets=1)
    assert (one.mask == other.mask).all() and one.evaluations == other.evaluations
    assert one.floors[0].floor == pytest.approx(0.9 * one.target.confidence)
    assert one.floors[0].mps.confidence >= one.floors[0].floor
    assert one.curves.insertion[-1] == pytest.approx(one.target.confidence, rel=1e-5)


def test_a_certificate_of_a_class_that_is_not_on_top_is_checked_by_its_share():
    config = SearchConfig("minimal", minimum_confidence_threshold=0.9)
    record = search(config, targets=1)
    check = check_certificate(record, blank(SHAPE), TwoThings(), config)
    assert check.holds, check.reason
    assert not check_certificate(
        record, blank(SHAPE), TwoThings(), SearchConfig("minimal", confidence_floor=0.001)
    ).holds


def test_targets_may_differ_from_image_to_image_and_images_without_one_keep_their_top_1():
    config = SearchConfig(minimum_confidence_threshold=0.5, iterations=2)
    images = [(key, blank(SHAPE)) for key in "abc"]
    records = list(extract_mps(images, TwoThings(), config, targets={"a": 1, "c": 2}))
    assert [(r.target.label, r.top) for r in records] == [(1, 2), (2, None), (2, None)]


def test_the_configuration_may_name_the_index_and_words_need_indices():
    config = SearchConfig("minimal", target=1, minimum_confidence_threshold=0.5)
    assert search(config).target.label == 1
    with pytest.raises(
        ValueError, match=r"search.target is 'fox', but the search knows no names and no labels; pass `tar"
    ):
        extract_mps([], TwoThings(), SearchConfig(target="fox"))
    for wrong in (-1, 1.5, "", None, True):
        with pytest.raises(ValueError, match="use top-1, label, the name of a class, or its index"):
            SearchConfig(target=wrong)


def test_a_class_of_no_weight_at_all_passes_nothing():
    class Certain(TwoThings):
        def logits(self, masks):
            return super().logits(masks) * np.float32([1, 100, 100])

    record = search(SearchConfig("minimal", minimum_confidence_threshold=0.5), Certain(), targets=0)
    assert record.target.confidence == 0 and record.status == BELOW


def test_a_classifier_without_log_odds_cannot_be_asked_about_a_class_that_is_not_on_top():
    fake = FakeClassifier(at_least(HERE, 5))
    with pytest.raises(ValueError, match="class 2 is not on top, and the classifier does not say how near"):
        search(SearchConfig(minimum_confidence_threshold=0.5), fake, targets=2)


def test_a_label_of_several_is_searched_by_its_own_decision_whatever_else_is_there():
    classifier = TwoThings(reply_of_labels)
    record = search(SearchConfig("minimal", granularity=1), classifier, targets=1)
    assert (record.target.label, record.top, record.status) == (1, None, FOUND)
    kept = (record.mask & HERE).sum()
    assert record.mask.sum() == kept == int(np.floor(36 * 4 / 6)) + 1  # 6 * kept / 36 - 4 has to be above 0
