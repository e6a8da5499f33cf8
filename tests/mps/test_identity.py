"""What identifies a search: whatever is not at its default. So no default may change, and a new one is noted here."""

from dataclasses import dataclass

import pytest

from mps_study import SearchConfig
from mps_study.mps.common.fields import number, whole
from mps_study.mps.minimal.minimal import Minimal
from mps_study.mps.rex.rankings import RANKINGS
from mps_study.mps.rex.responsibility import Responsibility
from mps_study.mps.strategies import STRATEGIES

RESPONSIBILITY = {
    "ranking": "responsibility", "cuts": "rex", "iterations": 20, "tree_depth": 10, "min_box_size": 10,
    "queue_style": "area", "queue_len": 1, "responsibility_style": "multiplicative", "weighted": False,
    "confidence_filter": 0.0, "chunk_size": 10, "curve_steps": 0,
}  # fmt: skip
BORN = {
    "all": {
        "strategy": "rex", "seed": 0, "minimum_confidence_threshold": 0.0, "confidence_floor": 0.0, "floors": [],
        "budget": None, "margin_tolerance": 1e-3, "several": 1, "several_by": "forbidding", "overlap": 0.0,
        "baseline": 0.0, "keep_landscape": False, "target": "top-1",
        "anytime": False, "prune": False, "prune_granularity": 4,
    },
    "rex": RESPONSIBILITY,
    "contrastive": RESPONSIBILITY | {"contrastive_threshold": 1.0},
    "complete": RESPONSIBILITY | {"contrastive_threshold": 1.0},
    "minimal": {"granularity": 4},
    "group_testing": {"granularity": 4},
    "sag": {
        "patches": 7, "beam": 3, "successors": 15, "roots": 10, "shared": 1, "threshold": 0.9, "guide": "deletion",
        "edges": "hard",
    },
    "ddmin": {"granularity": 4, "order": "blocks"},
    "backward": {"granularity": 16, "at_once": 8},
    "given": {"path": None, "resize": False},
    "occlusion": {"window": 15, "stride": 8},
    "lime": {"samples": 1000, "kernel_width": 0.25},
    "kernel_shap": {"samples": 1000, "segments": 50},
    "rise": {"masks": 4000, "cells": 7, "kept_share": 0.5},
    "grad_cam": {"layer": None},
    "integrated_gradients": {"steps": 50},
    "backward_gradient": {"pixels_a_step": 100},
    "forbidding": {"granularity": None},
    "spotlights": {},
}  # fmt: skip
"""The defaults with which every parameter was born. A new one is added; a line that is here is never changed, or
records are taken for those of another search: raise ENGINE_VERSION with it, which makes them all anew (decision 9)."""


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_default_has_changed_since_it_was_born(strategy):
    everything = SearchConfig(**BORN["all"] | BORN[strategy] | {"strategy": strategy})
    assert everything == SearchConfig(strategy)
    assert everything.identity() == {"strategy": {"kind": strategy}}
    further = SearchConfig(strategy=STRATEGIES["rex"](), several=2, **BORN["forbidding"])
    assert further.identity() == {"strategy": {"kind": "rex"}, "several": 2}


@pytest.mark.parametrize("ranking", [name for name in RANKINGS if name in BORN])
def test_no_default_of_a_ranking_has_changed_since_it_was_born(ranking):
    identity = SearchConfig(ranking={"kind": ranking, **BORN[ranking]}).identity()
    assert identity == {"strategy": {"kind": "rex", "ranking": {"kind": ranking}}}


def test_every_parameter_has_its_birth_noted():
    assert set(SearchConfig.names()) == {name for values in BORN.values() for name in values}
    assert set(STRATEGIES) <= set(BORN)


def test_whatever_changes_a_search_changes_its_identity():
    other = {
        "cuts": "fraction", "iterations": 3, "tree_depth": 4, "min_box_size": 9, "queue_style": "all", "queue_len": 2,
        "responsibility_style": "additive", "weighted": True, "confidence_filter": 0.1, "chunk_size": 7,
        "curve_steps": 5, "seed": 1, "minimum_confidence_threshold": 0.2, "confidence_floor": 0.1, "floors": [0.5],
        "budget": 100, "margin_tolerance": 1e-2, "several": 2, "baseline": "mean", "keep_landscape": True, "target": 7,
    }  # fmt: skip
    found = [SearchConfig(**{name: value}).identity() for name, value in other.items()]
    found += [SearchConfig("contrastive", contrastive_threshold=0.5).identity()]
    found += [SearchConfig("minimal", granularity=2).identity(), SearchConfig("minimal").identity()]
    found += [SearchConfig(ranking=ranking).identity() for ranking in RANKINGS]
    found += [SearchConfig(several=2, **more).identity() for more in ({"overlap": 0.1}, {"several_by": "spotlights"})]
    assert all(found.count(identity) == 1 for identity in found)


def test_how_more_sets_are_found_is_nothing_where_one_is_wanted():
    assert SearchConfig(several_by="spotlights", overlap=0.5).identity() == SearchConfig().identity()


def test_numbers_are_the_same_however_they_are_written():
    written = SearchConfig(baseline=0, confidence_floor=1, margin_tolerance=0, floors=(1,))
    assert written.identity() == SearchConfig(confidence_floor=1.0, margin_tolerance=0.0, floors=[1.0]).identity()
    assert SearchConfig(baseline=[1, 0, 0]).identity() == SearchConfig(baseline=(1.0, 0.0, 0.0)).identity()


def test_a_parameter_that_comes_later_leaves_every_identity_as_it_is(monkeypatch):
    before = [SearchConfig().identity(), SearchConfig("minimal", granularity=2).identity()]

    @dataclass(frozen=True)
    class Later(Minimal):
        rounds: int = whole(1, least=1)

    @dataclass(frozen=True)
    class LaterResponsibility(Responsibility):
        decay: float = number(0.0, 0.0, 1.0)

    monkeypatch.setitem(STRATEGIES, "minimal", Later)
    monkeypatch.setitem(RANKINGS, "responsibility", LaterResponsibility)
    assert [SearchConfig().identity(), SearchConfig("minimal", granularity=2).identity()] == before
    assert SearchConfig("minimal", rounds=2).identity() == {"strategy": {"kind": "minimal", "rounds": 2}}
    assert SearchConfig(decay=0.5).identity() != before[0]
