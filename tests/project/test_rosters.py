"""One roster for all environments; which of its models a study compares is a parameter."""

import shutil
from pathlib import Path

import pytest
import yaml

from mps_study.models.roster.roster import Roster
from mps_study.project.configuration import StudyConfigLoader
from mps_study.project.parameters import ParameterError, check_parameters
from mps_study.project.study_models import study_of

CONF = Path(__file__).parents[2] / "conf"
LITE = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
OWN = {"architecture": "A", "timm": "resnet18", "weights": "random:1"}


@pytest.fixture
def conf(tmp_path):
    """A copy of conf, to which a test adds."""
    return Path(shutil.copytree(CONF, tmp_path / "conf"))


def read(conf, env=None, **params):
    """The parameters of an environment, as a run with these --params reads them."""
    loader = StudyConfigLoader(str(conf), env=env, runtime_params=params, base_env="base", default_run_env="local")
    return loader["parameters"]


def write(conf, env, **groups):
    """An environment's parameters."""
    (conf / env).mkdir(exist_ok=True)
    (conf / env / "parameters.yml").write_text(yaml.safe_dump(groups, sort_keys=False))


def paper():
    """The names of the paper's models."""
    return read(CONF, "paper")["compared"]


def test_all_of_the_papers_models_are_known_in_every_environment():
    assert len(paper()) == 15
    for env in (None, "base", "miniature", "paper", "paper_caltech256"):
        assert {*LITE, *paper()} <= set(read(CONF, env)["models"])


def test_each_study_compares_its_own():
    assert read(CONF)["compared"] == LITE
    assert read(CONF, "paper_caltech256")["compared"] == paper()
    miniature = yaml.safe_load((CONF / "miniature/parameters_models.yml").read_text())["models"]
    assert read(CONF, "miniature")["compared"] == list(miniature)


def test_a_roster_of_ones_own_is_laid_over_that_of_base_and_compared_if_nothing_else_is_said(conf):
    write(conf, "mine", models={"b": OWN, "efficientnet_lite0": OWN})
    parameters = read(conf, "mine")
    assert parameters["compared"] == ["b", "efficientnet_lite0"]
    assert parameters["models"]["efficientnet_lite0"] == OWN  # as a whole: nothing of base's entry is left in it
    assert "convnext_huge" in parameters["models"]
    check_parameters(parameters)


def test_an_environment_says_what_it_compares_of_both_rosters(conf):
    write(conf, "mine", compared=["convnext_huge", "b"], models={"b": OWN})
    assert read(conf, "mine")["compared"] == ["convnext_huge", "b"]
    write(conf, "mine", compared=["convnext_huge"])
    assert read(conf, "mine")["compared"] == ["convnext_huge"]


def test_in_conf_local_as_in_any_other(conf):
    write(conf, "local", models={"b": OWN})
    assert read(conf)["compared"] == ["b"]
    assert read(conf, "paper")["compared"] == paper()


def test_a_base_roster_without_a_list_is_compared_whole(conf):
    (conf / "base/parameters_models.yml").write_text(yaml.safe_dump({"models": {"a": OWN, "b": OWN}}))
    assert read(conf)["compared"] == ["a", "b"]
    assert read(conf, "base")["compared"] == ["a", "b"]


def test_other_groups_of_an_environment_replace_those_of_base(conf):
    write(conf, "mine", metrics={"seed": 3})
    assert read(conf, "mine")["metrics"] == {"seed": 3}


def test_params_change_one_value_of_a_group_or_entry_that_only_base_has():
    changed = read(CONF, "miniature", metrics={"seed": 3}, models={"convnext_huge": {"weights": "file:x"}})
    assert changed["metrics"] == read(CONF)["metrics"] | {"seed": 3}
    assert changed["models"]["convnext_huge"] == read(CONF)["models"]["convnext_huge"] | {"weights": "file:x"}
    assert changed["compared"] == read(CONF, "miniature")["compared"]
    changed = read(CONF, "miniature", models={"resnet_b": {"weights": "random:1"}})["models"]["resnet_b"]
    assert changed == read(CONF, "miniature")["models"]["resnet_b"] | {"weights": "random:1"}


def test_a_compared_name_that_no_roster_has_is_answered_with_the_nearest(conf):
    write(conf, "mine", compared=["efficientnet_lite0", "convnext_hug"])
    with pytest.raises(ParameterError, match=r"model 'convnext_hug' is unknown; did you mean 'convnext_huge'\?"):
        check_parameters(read(conf, "mine"))


def test_any_model_can_be_chosen_and_the_study_shows_it_behind_those_that_it_compares():
    roster = Roster.model_validate({"a": OWN, "b": OWN, "c": OWN})
    assert list(roster.choose(None, ["c", "a"])) == ["c", "a"]
    assert list(roster.choose("b", ["c", "a"])) == ["b"]
    assert list(roster.of_study(None, ["c", "a"])) == ["c", "a"]
    assert list(roster.of_study("b", ["c", "a"])) == ["c", "a", "b"]
    assert list(roster.of_study("c", ["c", "a"])) == ["c", "a"]
    with pytest.raises(ValueError, match="model 'd' is unknown"):
        roster.choose("d", ["a"])


def test_one_image_is_explained_with_the_study_that_compares_the_model(tmp_path, conf, monkeypatch):
    (tmp_path / "pyproject.toml").write_text((CONF.parent / "pyproject.toml").read_text())
    monkeypatch.chdir(tmp_path)
    write(conf, "mine", compared=["efficientnet_lite0"])

    def study(model, env=None):
        return study_of(model, env).dataset("model_cards")._describe()["filepath"].split("/")[-2]

    assert [study(name) for name in (LITE[0], "convnext_huge", "resnet_b")] == ["base", "paper", "miniature"]
    assert study("convnext_huge", "miniature") == "miniature"
    shutil.rmtree(conf / "paper")
    shutil.rmtree(conf / "paper_caltech256")
    assert study("convnext_huge") == "base"
