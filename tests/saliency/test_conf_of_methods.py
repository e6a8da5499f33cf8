"""The study that compares methods: all of them, as published, under one judge."""

from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from mps_study.datasets.maps.wanted import method_of
from mps_study.mps.common.choices import kind_of
from mps_study.mps.common.values import changed_values_of
from mps_study.mps.rex.rankings import RANKINGS
from mps_study.mps.strategies import STRATEGIES
from mps_study.project.configuration import StudyConfigLoader
from mps_study.project.parameters import check_parameters
from mps_study.project.searches import searches_of
from mps_study.saliency.methods import METHODS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def parameters():
    loader = StudyConfigLoader(str(ROOT / "conf"), env="methods", base_env="base", default_run_env="local")
    return dict(loader["parameters"])


def test_its_parameters_are_valid(parameters):
    with chdir(ROOT):
        check_parameters(parameters)


def test_it_has_every_method_with_the_parameters_as_published(parameters):
    searches = searches_of(parameters["search"], parameters["searches"])
    assert {name for name, search in searches.items() if method_of(search) and not search.prune} == set(METHODS)
    for name, method in METHODS.items():
        assert type(method_of(searches[name])) is method and changed_values_of(method_of(searches[name])) == {}


def test_it_has_every_way_to_a_set_and_each_control_pruned_as_well(parameters):
    searches = searches_of(parameters["search"], parameters["searches"])
    explanations = {"contrastive", "complete"}  # of another question than which pixels are enough
    assert {kind_of(each.strategy, STRATEGIES) for each in searches.values()} == set(STRATEGIES) - explanations
    for control in ("random", "centre"):
        plain, pruned = searches[control], searches[f"{control}_pruned"]
        assert kind_of(plain.strategy.ranking, RANKINGS) == control and pruned == replace(plain, prune=True)


def test_all_its_searches_have_the_same_judge(parameters):
    searches = searches_of(parameters["search"], parameters["searches"]).values()
    judges = {
        (each.floors, each.minimum_confidence_threshold, each.baseline, each.target, each.seed, each.margin_tolerance)
        for each in searches
    }
    assert judges == {((0.5, 0.9), 0.0, 0.0, "top-1", 0, 1e-3)}
