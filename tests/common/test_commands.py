"""The command that a message names can be pasted: it says the environment and the parameters of the run."""

import shlex

import pytest
from kedro.framework.cli.utils import _split_params

from mps_study.common.commands import Typed, kedro_run


def test_without_anything_typed_only_the_pipelines_are_named():
    assert kedro_run(typed=Typed()) == "kedro run"
    assert kedro_run("metrics", "statistics", typed=Typed()) == "kedro run --pipelines metrics,statistics"


def test_environment_and_parameters_of_the_run_are_repeated_and_what_is_asked_for_replaces_them():
    typed = Typed("paper", {"model": "a", "search": {"seed": 5, "weighted": True, "budget": None}})
    assert kedro_run("model_export", typed=typed, model="b") == (
        "kedro run --env paper --pipelines model_export "
        "--params model=b,search.seed=5,search.weighted=true,search.budget=null"
    )


@pytest.mark.parametrize("value", ["a path/with spaces", "it's", "$HOME; rm -r x"])
def test_the_shell_and_kedro_read_back_what_was_typed(value):
    typed = {"imagenet": value, "search": {"seed": 5, "weighted": False, "budget": None}}
    words = shlex.split(kedro_run("mps_extraction", typed=Typed("paper", typed)))
    assert _split_params(None, None, words[-1]) == typed
