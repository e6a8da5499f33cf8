"""Parameters laid over others: the upper word counts however it is written, and another choice leaves what it does not
read."""

import pytest

from mps_study import SearchConfig
from mps_study.mps.config import flattened, laid_over

FLAT = {"strategy": "rex", "cuts": "fraction", "iterations": 5, "chunk_size": 20, "seed": 1}
NESTED = {
    "strategy": {"kind": "rex", "ranking": {"kind": "responsibility", "cuts": "fraction", "iterations": 5}},
    "chunk_size": 20,
    "seed": 1,
}


@pytest.mark.parametrize("below", [FLAT, NESTED])
@pytest.mark.parametrize(
    ("above", "same_as"),
    [
        ({"iterations": 7}, {"cuts": "fraction", "iterations": 7, "chunk_size": 20}),
        ({"strategy": {"iterations": 7}}, {"cuts": "fraction", "iterations": 7, "chunk_size": 20}),
        ({"strategy": "minimal"}, {"strategy": "minimal"}),
        ({"strategy": {"kind": "minimal", "granularity": 2}}, {"strategy": "minimal", "granularity": 2}),
        (
            {"strategy": "contrastive"},
            {"strategy": "contrastive", "cuts": "fraction", "iterations": 5, "chunk_size": 20},
        ),
        ({"ranking": "random"}, {"ranking": "random", "chunk_size": 20}),
        ({"strategy": {"ranking": "random"}}, {"ranking": "random", "chunk_size": 20}),
        ({"strategy": SearchConfig("rex").strategy}, {}),
    ],
)
def test_the_upper_word_counts_and_a_choice_takes_from_below_what_it_reads(below, above, same_as):
    assert SearchConfig(**laid_over(below, above)) == SearchConfig(**same_as, seed=1)


def test_what_the_upper_word_says_itself_must_be_read():
    for above in ({"strategy": "minimal", "iterations": 7}, {"granularity": 3}):
        with pytest.raises(ValueError, match="is not read by"):
            SearchConfig(**laid_over(FLAT, above))


def test_a_parameter_that_was_wrong_below_stays_so():
    for below in ({"strategy": "minimal", "iterations": 7}, {"iteratoins": 7}):
        with pytest.raises(ValueError, match=r"search.iter"):
            SearchConfig(**laid_over(below, {"seed": 3}))


def test_a_baseline_keeps_its_arguments_until_another_kind_comes():
    below = {"baseline": {"kind": "blur", "sigma": 0.1}}
    assert laid_over(below, {"baseline": {"sigma": 0.2}}) == {"baseline": {"kind": "blur", "sigma": 0.2}}
    assert laid_over(below, {"baseline": {"kind": "mean"}}) == {"baseline": {"kind": "mean"}}
    assert laid_over(below, {"baseline": 0.5}) == {"baseline": 0.5}


def test_flattened_parameters_are_the_same_search_by_one_name_each():
    assert flattened(NESTED) == FLAT | {"ranking": "responsibility"}
    assert SearchConfig(**flattened(NESTED)) == SearchConfig(**NESTED) == SearchConfig(**FLAT)
    with pytest.raises(ValueError, match=r"search\.iterations is given twice"):
        flattened({"strategy": {"kind": "rex", "iterations": 5}, "iterations": 5})
