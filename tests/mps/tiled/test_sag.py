"""Structured attention graphs: roots by beam search, as the published code makes them, and known answers."""

from itertools import combinations

import numpy as np
import pytest
from fakes import Scored, Telling, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.minimal.tiles import grid
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.proof.verification import verify_records
from mps_study.mps.tiled.beam import apart
from mps_study.mps.types import Reply

SHAPE = (12, 12)
TILES = grid(SHAPE, 3)  # 4 x 4 patches
ALL = {"patches": 4, "successors": 16}


def patches(*chosen):
    return TILES.mask(np.isin(np.arange(TILES.tiles), chosen))


def of_sets(*sets, each=0.25):
    """A score on masks: above 0 where all patches of a set are kept; the more of one are there, the nearer."""

    def score(mask):
        kept = TILES.touched(mask)
        return max(3.0 if kept[list(some)].all() else -2 + each * kept[list(some)].mean() for some in sets)

    return score


def search(score, maps=None, **config):
    config = SearchConfig("sag", **ALL | config)
    classifier = Scored(score)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config, maps=maps)
    return record, classifier, config


def test_the_smallest_root_is_the_set_and_others_come_beside_it():
    record, _, _ = search(of_sets((1, 5), (8, 9, 12)))
    assert np.array_equal(record.mask, patches(1, 5))
    assert [np.array_equal(mps.mask, patches(8, 9, 12)) for mps in record.further] == [True]
    assert record.confidence == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-6)


def test_sets_beside_it_share_no_more_patches_than_is_allowed():
    score = of_sets((1, 5), (1, 5 + 4, 12), (0, 1, 5 + 4))
    none, _, _ = search(score, shared=0)
    one, _, _ = search(score, shared=1)
    assert [mps.pixels for mps in none.further] == []
    assert len(one.further) == 1
    roots = [np.isin(np.arange(5), some) for some in ([0, 1], [1, 2], [2, 3], [0, 2])]
    assert [root.tolist() for root in apart(roots, 0)] == [roots[0].tolist(), roots[2].tolist()]


def test_the_relative_threshold_is_the_methods_own_and_top_1_stands_beside_it():
    """Patch 3 gives the class with .73 of confidence, 3 and 7 with .95."""

    def score(mask):
        kept = TILES.touched(mask)
        return 3.0 if kept[3] and kept[7] else 1.0 if kept[3] else -1.0

    published, _, _ = search(score)
    top_1, classifier, config = search(score, threshold=0.0)
    assert np.array_equal(published.mask, patches(3, 7)) and published.certificate is None
    assert np.array_equal(top_1.mask, patches(3)) and top_1.certificate.deletions == 1
    assert check_certificate(top_1, blank(SHAPE), classifier, config).holds
    floor, _, _ = search(score, threshold=0.0, minimum_confidence_threshold=0.9)
    assert np.array_equal(floor.mask, published.mask)


@pytest.mark.parametrize("seed", range(5))
def test_every_root_is_1_minimal_and_with_a_wide_beam_the_smallest_set_is_found(seed):
    """Brute force over all sets of a tiny grid."""
    shape, tiles = (6, 6), grid((6, 6), 2)
    random = np.random.default_rng(seed)
    sufficient = {frozenset(random.choice(9, size, replace=False).tolist()) for size in (2, 3, 3, 4)}

    def passes(kept):
        return any(some <= kept for some in sufficient)

    def score(mask):
        kept = frozenset(np.flatnonzero(tiles.touched(mask)).tolist())
        return 2.0 if passes(kept) else -1.0 - 0.001 * len(kept)

    config = SearchConfig("sag", patches=3, beam=200, successors=9, shared=9, roots=50)
    (record,) = extract_mps([("image", blank(shape))], Scored(score), config)
    minimal = {
        frozenset(kept)
        for size in range(1, 10)
        for kept in combinations(range(9), size)
        if passes(frozenset(kept)) and not any(passes(frozenset(kept) - {tile}) for tile in kept)
    }
    found = {
        frozenset(np.flatnonzero(tiles.touched(mask)).tolist())
        for mask in (record.mask, *(mps.mask for mps in record.further))
    }
    assert found == minimal
    assert record.pixels == 4 * min(map(len, minimal))


def test_the_beam_is_as_wide_as_is_said_and_tries_as_many_patches():
    asked = []

    class Counting(Scored):
        def classify(self, batch):
            asked.extend(part.mutants.mask(row) for part in batch for row in range(part.start, part.stop))
            return super().classify(batch)

    classifier = Counting(lambda mask: 2.0 if mask.sum() >= 9 * 4 else -1.0)
    config = SearchConfig("sag", patches=4, beam=2, successors=5, roots=1)
    extracted = list(extract_mps([("image", blank(SHAPE))], classifier, config))
    sizes = [int(TILES.touched(mask).sum()) for mask in asked]
    assert sizes.count(15) == 16  # the whole image without each patch
    assert sizes.count(1) == 5  # successors of nothing
    assert sizes.count(2) <= 2 * 5 and sizes.count(3) <= 2 * 5 + 4
    assert extracted[0].pixels == 36


def test_a_given_map_guides_it():
    asked = []

    class Watching(Telling):
        def classify(self, batch):
            asked.extend(part.mutants.mask(row) for part in batch for row in range(part.start, part.stop))
            return super().classify(batch)

    heat = patches(6) * np.float32(2) + patches(10) * np.float32(1)
    classifier = Watching(lambda mask: int(mask[3, 6] & mask[6, 6]), score=lambda mask: float(mask[3, 6] & mask[6, 6]))
    config = SearchConfig("sag", patches=4, successors=2, guide="given", roots=1, threshold=0.0)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config, maps={"image": heat})
    assert np.array_equal(record.mask, patches(6, 10))
    assert len(asked) < 15
    with pytest.raises(ValueError, match="no map was given"):
        list(extract_mps([("image", blank(SHAPE))], classifier, config))


def test_where_no_root_is_found_there_is_no_set():
    """The class comes with all patches only, so that the last step finds it; with fewer successors too."""
    record, _, _ = search(lambda mask: 1.0 if mask.all() else -1.0, successors=3)
    assert record.mask.all()


def test_patches_of_sides_that_do_not_divide_the_image():
    shape = (10, 13)
    classifier = Scored(lambda mask: 2.0 if mask[9, 12] else -1.0)
    (record,) = extract_mps([("i", blank(shape))], classifier, SearchConfig("sag", patches=7, threshold=0.0))
    assert record.mask[8:, 12:].all() and record.pixels == 2


class Blending:
    """Class 1 where enough of some pixels is kept, shares of them included; it reads the painted picture."""

    batch_size, workers = 16, 1

    def __init__(self, known, enough):
        self.known, self.enough = known, enough

    def classify(self, batch):
        painted, odds = np.empty((1, *SHAPE), dtype=np.float32), []
        for part in batch:
            for row in range(part.start, part.stop):
                part.mutants.paint(row, part.picture, painted)
                odds.append(float(painted[0][self.known].sum()) - self.enough)
        odds = np.array(odds)
        share = 1 / (1 + np.exp(-odds))
        confidences = np.maximum(share, 1 - share).astype(np.float32)
        return Reply((odds > 0).astype(np.int64), confidences, log_odds=odds.astype(np.float32))


@pytest.mark.parametrize("more", [{}, {"several": 2}, {"prune": True, "prune_granularity": 1}])
def test_of_blended_roots_a_set_is_cut_that_passes_as_it_is(more):
    classifier = Blending(blob(SHAPE, 1, 2, 5), 8.5)
    config = SearchConfig("sag", patches=4, edges="bilinear", threshold=0.0, **more)
    white = np.ones((1, *SHAPE), dtype=np.float32)
    (record,) = extract_mps([("image", white)], classifier, config)
    assert (record.mask & classifier.known).sum() > 8.5
    assert 0 < record.soft.weight < 1 and record.soft.confidence > 0.5
    (verified,) = verify_records([(record, white)], classifier, config)
    assert all(each.holds for each in verified)
    if more.get("prune"):
        assert record.pixels == 9 and record.certificate.deletions == 9


def test_hard_edges_have_no_blended_set():
    record, _, _ = search(of_sets((1, 5)))
    assert record.soft is None
