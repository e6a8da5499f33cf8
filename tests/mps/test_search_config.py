"""Every wrong parameter is answered by name, value and remedy."""

import pytest

from mps_study import SearchConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strategy", "maximal"),
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
    assert (config.iterations, config.tree_depth, config.min_box_size, config.chunk_size) == (20, 10, 10, 10)
    assert (config.queue_style, config.queue_len, config.responsibility_style) == ("area", 1, "multiplicative")
    assert config.baseline == 0
