"""`prune: true` after any strategy: 1-minimal by brute force, with a certificate that the model confirms."""

import numpy as np
import pytest
from fakes import Scored, blank, blob

from mps_study import SearchConfig, extract_mps
from mps_study.mps.config import STRATEGIES
from mps_study.mps.minimal.tiles import grid
from mps_study.mps.proof.certificate import check_certificate
from mps_study.mps.proof.verification import verify_records

SHAPE = (12, 14)
SEARCHES = {
    "rex": {"iterations": 2},
    "minimal": {"granularity": 4},
    "sag": {"patches": 3},
    "ddmin": {"granularity": 4},
    "backward": {"granularity": 4, "at_once": 2},
}


def score_of(seed):
    """Some pixels help, some harm; the class needs enough of the first."""
    random = np.random.default_rng(seed)
    worth = np.where(blob(SHAPE, 3, 4, 6), 3, 0) + random.integers(-2, 4, SHAPE)
    return lambda mask: float((worth * mask).sum() / 16 - 4)


def search(name, seed=0, **config):
    classifier = Scored(score_of(seed))
    config = SearchConfig(**{"strategy": name} | SEARCHES[name] | {"prune": True, "prune_granularity": 2} | config)
    (record,) = extract_mps([("image", blank(SHAPE))], classifier, config)
    return record, classifier, config


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("seed", range(3))
def test_no_tile_of_the_set_can_be_spared(name, seed):
    plain, classifier, _ = search(name, seed, prune=False)
    record, _, config = search(name, seed)
    score, tiles = score_of(seed), grid(SHAPE, 2)
    assert not (record.mask & ~plain.mask).any()
    assert score(record.mask) > 0
    kept = np.flatnonzero(tiles.touched(record.mask))
    assert record.certificate.granularity == 2 and record.certificate.deletions == len(kept)
    for tile in kept:
        assert score(record.mask & ~tiles.mask(np.arange(tiles.tiles) == tile)) <= 0
    assert check_certificate(record, blank(SHAPE), classifier, config).holds
    (verified,) = verify_records([(record, blank(SHAPE))], classifier, config)
    assert all(each.holds for each in verified) and "set, certificate" in {each.what for each in verified}


@pytest.mark.parametrize("name", SEARCHES)
def test_sets_at_floors_and_further_ones_are_pruned_too(name):
    record, classifier, config = search(name, floors=[0.9], several=2)
    (verified,) = verify_records([(record, blank(SHAPE))], classifier, config)
    assert all(each.holds for each in verified), verified
    certified = {each.what for each in verified if each.what.endswith("certificate")}
    assert {"set, certificate", "set at floor 0.9, certificate"} <= certified
    assert not record.further or "further set 2, certificate" in certified


def test_a_set_that_is_minimal_already_stays_as_it_is():
    plain, _, _ = search("minimal", granularity=2, prune=False)
    record, _, _ = search("minimal", granularity=2)
    assert np.array_equal(record.mask, plain.mask) and record.certificate == plain.certificate


def test_curves_and_map_stay_those_of_the_ranking():
    plain, _, _ = search("rex", prune=False, curve_steps=4, keep_landscape=True)
    record, _, _ = search("rex", curve_steps=4, keep_landscape=True)
    assert np.array_equal(plain.landscape, record.landscape)
    assert plain.curves.insertion.tolist() == record.curves.insertion.tolist()


def test_a_forged_certificate_of_a_pruned_set_is_seen():
    record, classifier, config = search("rex")
    spare = record.mask.copy()
    spare[11, 13] = True
    forged = type(record)(**{**record.__dict__, "mask": spare})
    assert not check_certificate(forged, blank(SHAPE), classifier, config).holds


@pytest.mark.parametrize("strategy", ["contrastive", "complete"])
def test_sets_that_must_do_more_than_pass_are_not_pruned(strategy):
    with pytest.raises(ValueError, match=rf"search\.prune is true; a set of the strategy {strategy} must do more"):
        SearchConfig(strategy, prune=True)


def test_whether_sets_are_pruned_identifies_a_search_and_how_fine_only_where_they_are():
    for strategy in STRATEGIES:
        assert SearchConfig(strategy, prune=False, prune_granularity=2) != SearchConfig(strategy)
        assert SearchConfig(strategy, prune_granularity=2).identity() == {"strategy": {"kind": strategy}}
    pruned = SearchConfig("rex", prune=True)
    assert pruned.identity() == {"strategy": {"kind": "rex"}, "prune": True}
    assert SearchConfig("rex", prune=True, prune_granularity=2).identity()["prune_granularity"] == 2
