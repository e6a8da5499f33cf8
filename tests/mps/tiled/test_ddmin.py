"""Delta debugging on tiles: the paper's algorithm step for step, and a set that can spare no tile."""

import numpy as np
import pytest
from fakes import FakeClassifier, Telling, at_least, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.minimal.tiles import grid
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.tiled.ddmin import along_z

SHAPE = (12, 16)


def search(rule, **config):
    classifier = FakeClassifier(rule)
    config = SearchConfig("ddmin", **{"granularity": 2} | config)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    return record, classifier, config


def reference(line, passes):
    """Zeller and Hildebrandt's ddmin, one test after the other; tests that were made are not made again."""
    known = {}

    def test(parts):
        key = frozenset(tile for part in parts for tile in part)
        if key not in known:
            known[key] = passes(key)
        return known[key]

    def halves(parts):
        return [half for part in parts for half in (part[: (len(part) + 1) // 2], part[(len(part) + 1) // 2 :]) if half]

    parts, offset = halves([line]), 0
    while True:
        n = len(parts)
        subset = next((part for part in parts if test([part])), None)
        if subset is not None and n > 1:
            parts, offset = halves([subset]), 0
            continue
        spared = None
        if n > 2:
            spared = next(
                (i % n for i in range(offset, offset + n) if test([p for j, p in enumerate(parts) if j != i % n])), None
            )
        if spared is not None:
            parts, offset = parts[:spared] + parts[spared + 1 :], spared % (n - 1)
        elif max(map(len, parts)) == 1:
            return {tile for part in parts for tile in part}
        else:
            parts, offset = halves(parts), 0


def random_rule(seed):
    """Class 1 where one of some random sets of pixels survives and no pixel of a poison does, unless much is kept."""
    random = np.random.default_rng(seed)
    wanted = [random.random(SHAPE) < share for share in (0.01, 0.03, 0.06)]
    poison = random.random(SHAPE) < 0.03

    def rule(mask):
        return int(
            mask.mean() > 0.8 or (any((mask & w).sum() == w.sum() for w in wanted) and (mask & poison).sum() < 4)
        )

    return rule


@pytest.mark.parametrize("order", ["blocks", "rows"])
@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_the_plain_algorithm_finds(seed, order):
    rule = random_rule(seed)
    record, classifier, config = search(rule, order=order)
    tiles = grid(SHAPE, 2)
    line = np.arange(tiles.tiles) if order == "rows" else along_z(tiles)

    def passes(kept):
        chosen = tiles.nothing()
        chosen[list(kept)] = True
        return bool(rule(tiles.mask(chosen)))

    chosen = tiles.nothing()
    chosen[list(reference(line.tolist(), passes))] = True
    assert np.array_equal(record.mask, tiles.mask(chosen))
    assert record.certificate.deletions == chosen.sum()
    assert check_certificate(record, blank(SHAPE), classifier, config).holds


def test_asking_ahead_costs_little_more_than_asking_one_after_the_other():
    """The published algorithm makes one test at a time; here the tests after one that passes are made in vain."""
    known = blob(SHAPE, 2, 4, 6)
    record, _, _ = search(at_least(known, 36))
    assert np.array_equal(record.mask, known)
    made = []
    tiles = grid(SHAPE, 2)

    def passes(kept):
        made.append(kept)
        return (tiles.mask(np.isin(np.arange(tiles.tiles), list(kept))) & known).sum() >= 36

    reference(along_z(tiles).tolist(), passes)
    assert len(made) <= record.evaluations <= 1.5 * len(made) + 5


def test_one_tile_that_gives_the_class_is_found_by_bisection():
    record, _, _ = search(at_least(blob(SHAPE, 4, 6, 2), 4))
    assert np.array_equal(record.mask, blob(SHAPE, 4, 6, 2))
    assert record.evaluations < 25


def test_the_empty_set_where_the_baseline_gives_the_class():
    record, _, _ = search(lambda mask: 1)
    assert record.status == "baseline" and record.pixels == 0 and record.certificate.deletions == 0


def test_the_whole_image_where_nothing_can_be_spared():
    record, classifier, config = search(lambda mask: int(mask.all()))
    assert record.mask.all() and record.certificate.deletions == 48
    assert check_certificate(record, blank(SHAPE), classifier, config).holds


def test_the_z_order_visits_blocks_one_after_the_other():
    order = along_z(grid((8, 8), 2))
    assert order.tolist() == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert sorted(along_z(grid((10, 6), 2)).tolist()) == list(range(15))


def test_further_sets_are_disjoint_and_pass_where_others_are_forbidden():
    first, second = blob(SHAPE, 2, 2, 2), blob(SHAPE, 8, 10, 4)

    def rule(mask):
        return int((mask & first).sum() == 4 or (mask & second).sum() == 16)

    record, _, _ = search(rule, several=3)
    sets = [record.mask, *(mps.mask for mps in record.further)]
    assert len(sets) == 2 and not (sets[0] & sets[1]).any()
    assert all(rule(mask) for mask in sets)


def test_a_floor_is_kept_to():
    classifier = Telling(lambda mask: int(mask[4, 6]), score=lambda mask: mask[4, 6] * 1.0)
    config = SearchConfig("ddmin", granularity=2, minimum_confidence_threshold=0.8)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    assert record.confidence >= 0.8 * record.target.confidence - 1e-4
    assert record.certificate.floor == pytest.approx(0.72)
