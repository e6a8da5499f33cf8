"""The paper's two studies as configured: they load, check, and name what the paper used."""

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from small_project import ROOT, make_project

ARGUMENTS = {"paper": {"imagenet": "/some/imagenet"}, "paper_caltech256": {"caltech256": "/some/caltech"}}


def parameters(project, env, **more):
    """All parameters of a study, checked as `kedro run` checks them."""
    bootstrap_project(project)
    with KedroSession.create(project_path=project, env=env, runtime_params=ARGUMENTS[env] | more) as session:
        return session.load_context().params


@pytest.fixture(scope="module")
def project_of_conf(tmp_path_factory):
    """A project with the real conf of both studies."""
    return make_project(tmp_path_factory.mktemp("conf") / "project")


def test_the_paper_draws_500_labelled_and_500_unlabelled_images_of_the_users_imagenet(project_of_conf):
    sampling = parameters(project_of_conf, "paper")["data_sampling"]
    source = {"kind": "imagenet", "path": "/some/imagenet"}
    assert sampling.labelled.model_dump() == {"source": source | {"part": "val"}, "n": 500}
    assert sampling.unlabelled.model_dump() == {"source": source | {"part": "test"}, "n": 500}


def test_the_sanity_check_draws_50_images_and_trains_on_the_others(project_of_conf):
    found = parameters(project_of_conf, "paper_caltech256")
    sampling, source = found["data_sampling"], {"kind": "caltech256", "path": "/some/caltech"}
    assert sampling.labelled.model_dump() == {"source": source, "n": 50}
    assert sampling.unlabelled is None
    assert sampling.training == source
    assert found["fine_tuning"].probe_epochs > 0 < found["fine_tuning"].epochs


def test_both_studies_have_the_same_models_and_the_same_search():
    def read(env, file, group):
        return yaml.safe_load((ROOT / "conf" / env / file).read_text())[group]

    tuned = read("paper_caltech256", "parameters_models.yml", "models")
    for entry in tuned.values():
        assert (entry.pop("weights"), entry.pop("classes")) == ("fine_tuned:hub", 256)
    roster, compared = read("base", "parameters_models.yml", "models"), read("paper", "parameters.yml", "compared")
    for entry in roster.values():
        entry.pop("class_names", None)  # ImageNet's
    assert list(tuned.items()) == [(name, roster[name]) for name in compared]
    assert read("paper_caltech256", "parameters.yml", "search") == read("paper", "parameters.yml", "search")


@pytest.mark.parametrize("env", ARGUMENTS)
def test_a_gpu_is_the_rule_and_a_cpu_is_the_users_word(project_of_conf, env):
    assert parameters(project_of_conf, env)["extraction"].device == "cuda"
    assert parameters(project_of_conf, env, extraction={"device": "cpu"})["extraction"].device == "cpu"
