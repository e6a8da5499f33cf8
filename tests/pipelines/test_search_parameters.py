"""The search as `kedro run` hands it to its nodes: conf, and `--params` laid over it."""

import pytest
import yaml
from click import ClickException
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from small_project import make_project

from mps_study import SearchConfig
from mps_study.mps.minimal.minimal import Minimal
from mps_study.project.searches import searches_of

UNREAD = "search.iterations is not read by the strategy minimal"


@pytest.fixture
def project_of_conf(tmp_path):
    """A project with the real conf."""
    return make_project(tmp_path / "project")


def search(project, env=None, **search_params):
    """The study's own search, as nodes make it of `params:search`."""
    return searches(project, env, **({"search": search_params} if search_params else {}))["study"]


def searches(project, env=None, **params):
    """All searches by name, as nodes make them of `params:search` and `params:searches`."""
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env=env, runtime_params=params) as session:
        given = session.load_context().params
    return searches_of(given["search"], given["searches"])


def write(project, file, group):
    (project / "conf" / file).write_text(yaml.safe_dump({"search": group}))


def test_conf_is_a_search_and_params_change_it(project_of_conf):
    base = {"cuts": "fraction", "keep_landscape": True}
    assert search(project_of_conf) == SearchConfig(iterations=5, **base)
    assert search(project_of_conf, iterations=7) == SearchConfig(iterations=7, **base)
    assert search(project_of_conf, strategy="minimal") == SearchConfig("minimal", keep_landscape=True)
    assert search(project_of_conf, strategy="complete") == SearchConfig("complete", iterations=5, **base)
    nested = search(project_of_conf, strategy={"kind": "minimal", "granularity": 2})
    assert nested.strategy == Minimal(granularity=2)
    miniature = search(project_of_conf, env="miniature", strategy="minimal", granularity=2)
    assert miniature == SearchConfig(
        "minimal", granularity=2, floors=[0.5, 0.9], several=3, several_by="spotlights", keep_landscape=True
    )


def test_params_of_the_own_search_are_those_of_the_others_unless_these_say_otherwise(project_of_conf):
    floor = {"granularity": 8, "minimum_confidence_threshold": 0.5, "keep_landscape": True}
    assert searches(project_of_conf)["minimal_half"] == SearchConfig("minimal", **floor)
    changed = searches(project_of_conf, search={"seed": 3, "iterations": 9, "minimum_confidence_threshold": 0.2})
    assert changed["minimal_half"] == SearchConfig("minimal", **floor, seed=3)


def test_params_change_one_search_and_add_another(project_of_conf):
    found = searches(project_of_conf, searches={"minimal_half": {"granularity": 16}, "new": {"strategy": "minimal"}})
    assert list(found) == ["study", "minimal_half", "new"]
    assert found["minimal_half"].strategy == Minimal(granularity=16)
    assert found["new"] == SearchConfig("minimal", keep_landscape=True)
    other = searches(project_of_conf, searches={"minimal_half": {"strategy": {"kind": "minimal", "granularity": 2}}})
    assert other["minimal_half"].strategy == Minimal(granularity=2)
    assert searches(project_of_conf, env="miniature").keys() == {"study"}


def test_a_search_of_conf_may_be_written_nested_and_params_have_the_last_word(project_of_conf):
    ranking = {"kind": "responsibility", "iterations": 4, "cuts": "fraction"}
    write(project_of_conf, "local/parameters.yml", {"strategy": {"kind": "rex", "ranking": ranking}})
    assert search(project_of_conf) == SearchConfig(iterations=4, cuts="fraction")
    assert search(project_of_conf, iterations=7) == SearchConfig(iterations=7, cuts="fraction")
    assert search(project_of_conf, strategy="minimal") == SearchConfig("minimal")


def test_params_lie_over_the_groups_of_base_whatever_else_an_environment_says(project_of_conf):
    (project_of_conf / "conf/local/parameters.yml").write_text("model: efficientnet_lite0\n")
    assert search(project_of_conf, seed=3).strategy == SearchConfig(iterations=5, cuts="fraction").strategy
    params = {"data_sampling": {"labelled": {"n": 2}}}
    with KedroSession.create(project_path=project_of_conf, runtime_params=params) as session:
        sampling = session.load_context().params["data_sampling"]
    assert (sampling.labelled.n, sampling.unlabelled.n, sampling.labelled.source) == (2, 3, {"kind": "photos"})


@pytest.mark.parametrize(
    ("local", "params", "says"),
    [
        (None, {"granularity": 2}, "search.granularity is not read by the strategy rex"),
        (None, {"strategy": "minimal", "iterations": 5}, UNREAD),
        ({"strategy": "minimal", "iterations": 5}, {}, UNREAD),
        (
            {"strategy": "minimal", "iterations": 5},
            {"seed": 1},
            UNREAD,
        ),
        ({"strategy": {"kind": "rex", "cuts": "rex"}, "cuts": "rex"}, {"seed": 1}, "search.cuts is given twice"),
        (None, {"strategy": {"kind": "minimal", "granularty": 2}}, "did you mean .*granularity'"),
    ],
)
def test_what_was_given_by_hand_and_is_not_read_stops_the_run_in_one_line(project_of_conf, local, params, says):
    if local is not None:
        write(project_of_conf, "local/parameters.yml", local)
    with pytest.raises(ClickException, match=says) as error:
        search(project_of_conf, **params)
    assert "\n" not in error.value.message
