"""What a search is told: names, mappings or objects say the same; what is wrong is answered by name and remedy."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mps_study import SearchConfig
from mps_study.mps.minimal.minimal import Minimal
from mps_study.mps.rex.contrastive import Contrastive
from mps_study.mps.rex.rankings import Random
from mps_study.mps.rex.responsibility import Responsibility
from mps_study.mps.rex.rex import Rex
from mps_study.mps.strategy import Strategy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strategy", "maximal"),
        ("strategy", {"granularity": 2}),
        ("strategy", {"kind": ["rex"]}),
        ("strategy", Random()),
        ("strategy", None),
        ("ranking", "alphabetical"),
        ("ranking", Minimal()),
        ("cuts", "random"),
        ("seed", -1),
        ("iterations", 0),
        ("iterations", 2.5),
        ("tree_depth", 0),
        ("min_box_size", 0),
        ("chunk_size", True),
        ("queue_style", "fifo"),
        ("queue_len", 0),
        ("responsibility_style", "max"),
        ("weighted", 1),
        ("confidence_filter", 1.5),
        ("minimum_confidence_threshold", -0.1),
        ("minimum_confidence_threshold", float("nan")),
        ("several", "many"),
        ("several_by", "luck"),
        ("baseline", "median"),
        ("baseline", []),
        ("baseline", float("inf")),
        ("margin_tolerance", -1),
    ],
)
def test_a_wrong_value_names_the_parameter_and_what_arrived(name, value):
    with pytest.raises(ValueError, match=rf"search\.{name} is"):
        SearchConfig(**{name: value})


def test_the_defaults_are_rex_as_the_paper_ran_it():
    config = SearchConfig()
    ranking = config.strategy.ranking
    assert (ranking.iterations, ranking.tree_depth, ranking.min_box_size, config.strategy.chunk_size) == (
        20,
        10,
        10,
        10,
    )
    assert (ranking.queue_style, ranking.queue_len, ranking.responsibility_style) == ("area", 1, "multiplicative")
    assert config.baseline == 0


@pytest.mark.parametrize(
    ("ways", "meant"),
    [
        (
            [
                {"strategy": "minimal", "granularity": 2},
                {"strategy": {"kind": "minimal", "granularity": 2}},
                {"strategy": Minimal(2)},
            ],
            Minimal(granularity=2),
        ),
        (
            [
                {"iterations": 5, "chunk_size": 3},
                {"strategy": {"kind": "rex", "iterations": 5, "chunk_size": 3}},
                {"strategy": {"kind": "rex", "ranking": {"kind": "responsibility", "iterations": 5}}, "chunk_size": 3},
                {"ranking": {"kind": "responsibility", "iterations": 5}, "chunk_size": 3},
                {"strategy": {"kind": "rex", "chunk_size": 3}, "iterations": 5},
            ],
            Rex(ranking=Responsibility(iterations=5), chunk_size=3),
        ),
        (
            [
                {"strategy": "contrastive", "ranking": "random", "contrastive_threshold": 0.5},
                {"strategy": {"kind": "contrastive", "ranking": {"kind": "random"}, "contrastive_threshold": 0.5}},
            ],
            Contrastive(ranking="random", contrastive_threshold=0.5),
        ),
    ],
)
def test_a_choice_is_a_name_a_mapping_or_an_object_at_every_level(ways, meant):
    configs = [SearchConfig(**way) for way in ways]
    assert all(config.strategy == meant and config == configs[0] for config in configs)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"strategy": "minimal", "iterations": 5},
            r"search\.iterations is not read by the strategy minimal \(it reads granularity\); leave it out, "
            r"or choose rex, contrastive, complete$",
        ),
        (
            {"ranking": "random", "iterations": 5},
            r"the ranking random \(it reads ranking, chunk_size, curve_steps\); .* the ranking responsibility$",
        ),
        (
            {"granularity": 2},
            "search.granularity is not read by the strategy rex .* or choose minimal, group_testing, ddmin, backward$",
        ),
        ({"contrastive_threshold": 0.5}, "choose contrastive, complete$"),
        ({"strategy": "minimal", "contrastive_threshold": 1.0}, "not read by the strategy minimal"),
        ({"iteratoins": 5}, "'search.iteratoins' is unknown; did you mean 'search.iterations'"),
        (
            {"strategy": {"kind": "minimal", "granularty": 5}},
            "has no parameter 'granularty'; did you mean 'granularity'",
        ),
        ({"strategy": {"kind": "minimal", "seed": 5}}, "has no parameter 'seed'"),
        ({"strategy": {"kind": "rex", "iterations": 5}, "iterations": 5}, "search.iterations is given twice"),
        ({"strategy": {"kind": "rex", "ranking": "centre"}, "ranking": "centre"}, "search.ranking is given twice"),
        ({"strategy": Minimal(), "granularity": 5}, "search.granularity is given twice"),
    ],
)
def test_a_parameter_that_nothing_takes_or_that_comes_twice_is_answered_in_one_line(given, says):
    with pytest.raises(ValueError, match=says) as error:
        SearchConfig(**given)
    assert "\n" not in str(error.value)


def test_parts_check_themselves_with_the_lines_of_the_configuration():
    with pytest.raises(ValueError, match=r"search\.granularity is 0; use a whole number, 1 or more"):
        Minimal(granularity=0)
    with pytest.raises(ValueError, match=r"search\.ranking is 'luck'; use one of responsibility, random"):
        Rex(ranking="luck")
    assert Rex(ranking="centre") == Rex(ranking={"kind": "centre"})


def test_the_seed_leaves_room_for_the_iterations_where_there_are_some():
    with pytest.raises(ValueError, match=r"search\.seed is 4294967294; .* with 20 iterations added"):
        SearchConfig(seed=2**32 - 2)
    assert SearchConfig("minimal", seed=2**32 - 2).seed == 2**32 - 2


def test_granularity_is_the_strategys_tile_and_else_that_of_what_is_given_back():
    minimal = SearchConfig("minimal", granularity=2, several=3, overlap=0.5)
    assert (minimal.strategy.tile, minimal.several_by.granularity) == (2, None)
    assert SearchConfig(granularity=2, several=3, overlap=0.5).several_by.granularity == 2


def test_one_parameter_can_be_replaced():
    config = SearchConfig("minimal", granularity=2, floors=[0.5])
    changed = replace(config, seed=3)
    assert (changed.strategy, changed.floors, changed.seed) == (Minimal(2), (0.5,), 3)


def test_an_own_strategy_needs_no_row_to_be_handed_in():
    @dataclass(frozen=True)
    class Own(Strategy):
        share: float = 0.5

    config = SearchConfig(Own(share=0.25), seed=1)
    assert config.as_dict()["strategy"]["share"] == 0.25
    with pytest.raises(ValueError, match=r"the strategy .*Own finds one set"):
        SearchConfig(Own(), several=2)


def test_numpys_numbers_are_numbers():
    numpys = {"seed": np.int64(3), "iterations": np.int32(2), "weighted": np.bool_(True), "baseline": np.int64(1)}
    numpys |= {
        "minimum_confidence_threshold": np.float32(0.25),
        "confidence_filter": np.int64(0),
        "floors": [np.float64(0.5)],
    }
    plain = {"seed": 3, "iterations": 2, "weighted": True, "baseline": 1}
    plain |= {"minimum_confidence_threshold": 0.25, "confidence_filter": 0, "floors": [0.5]}
    assert SearchConfig(**numpys) == SearchConfig(**plain)
    for name, value in (("seed", np.bool_(True)), ("seed", np.float64(3.0)), ("confidence_filter", np.bool_(True))):
        with pytest.raises(ValueError, match=f"search.{name} is"):
            SearchConfig(**{name: value})
