"""Wrong input to the command line: one clear line with the nearest name, before any work, exit code not 0."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_project import make_project

from mps_study.project.parameters import ParameterError, check_parameters

BASE = Path(__file__).parents[2] / "conf/base"
PARAMETERS = {
    **yaml.safe_load((BASE / "parameters.yml").read_text()),
    **yaml.safe_load((BASE / "parameters_models.yml").read_text()),
}


def changed(path, value):
    """The base parameters with one value set, by dotted path."""
    parameters = copy.deepcopy(PARAMETERS)
    *groups, last = path.split(".")
    place = parameters
    for group in groups:
        place = place.setdefault(group, {})
    place[last] = value
    return parameters


def test_the_base_parameters_are_valid():
    check_parameters(PARAMETERS)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("modle", "x", "parameter 'modle' is unknown; did you mean 'model'"),
        ("model", "efficientnet_lite", "model 'efficientnet_lite' is unknown; did you mean 'efficientnet_lite"),
        ("search.iteratoins", 3, "'search.iteratoins' is unknown; did you mean 'search.iterations'"),
        ("search.iterations", 0, "search.iterations is 0; use a whole number, 1 or more"),
        ("search.strategy", "rexx", "search.strategy is 'rexx'; use one of rex"),
        ("extraction.batchsize", 4, "'extraction.batchsize' is unknown; did you mean 'extraction.batch_size'"),
        ("extraction.batch_size", 0, "'extraction.batch_size' is 0: .* greater than or equal to 1"),
        ("data_sampling.labelled.m", 4, "'data_sampling.labelled.m' is unknown"),
        ("data_sampling.labelled.n", -1, "'data_sampling.labelled.n' is -1"),
        ("models.x", {"architecture": "A"}, r"give either `timm: NAME` or `onnx: PATH`"),
        ("models.x", {"architecture": "A", "timm": "b", "wieghts": "hub"}, "did you mean 'models.x.weights'"),
        (
            "models.x",
            {"architecture": "A", "timm": "resnet18", "weights": "hubb"},
            "'hubb' are unknown; use",
        ),
        ("statistics.alpha", 2, "alpha is 2"),
        ("fine_tuning.epochs", "many", "epochs should be of type int, got 'many'"),
        ("metrics", 3, "parameter group 'metrics' is 3"),
    ],
)
def test_a_wrong_parameter_is_answered_by_name(path, value, message):
    with pytest.raises(ParameterError, match=message):
        check_parameters(changed(path, value))


def test_every_fault_gets_its_own_line():
    parameters = changed("modle", 1)
    parameters["search"]["iterations"] = -3
    with pytest.raises(ParameterError) as error:
        check_parameters(parameters)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "minature"], "environment 'minature' is unknown; did you mean 'miniature'?"),
        (["--params", "model=convnext_hug", "--env", "paper"], "did you mean 'convnext_huge'?"),
        (["--env", "paper", "--params", "imagenet=/nowhere"], "looked for /nowhere/val"),
        (["--pipeline", "mps_extracton"], "pipeline 'mps_extracton' is unknown; did you mean 'mps_extraction'?"),
        (["--pipelines", "metrics,reportin"], "did you mean 'reporting'?"),
    ],
)
def test_the_command_line_answers_in_one_line_and_does_nothing(tmp_path, arguments, message):
    project = make_project(tmp_path / "project")
    kedro = Path(sys.executable).with_name("kedro")
    done = subprocess.run([kedro, "run", *arguments], cwd=project, capture_output=True, text=True)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1 and message in lines[0]
    assert "Traceback" not in done.stderr
    assert not (project / "data").exists()


def test_pipelines_and_settings_load_neither_torch_nor_what_only_one_pipeline_needs():
    heavy = {"torch", "timm", "statsmodels", "sklearn", "mlflow"}
    code = "import mps_study.settings; from mps_study.pipeline_registry import register_pipelines as r; print(len(r()))"
    code += f"; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["11", "[]"], done.stderr


@pytest.mark.parametrize(("given", "found"), [(None, "AVX512_CORE"), ("AVX2", "AVX2")])
def test_a_run_keeps_onednn_below_what_trains_wrong_unless_the_user_says_otherwise(given, found):
    environment = {name: value for name, value in os.environ.items() if name != "ONEDNN_MAX_CPU_ISA"}
    environment |= {"ONEDNN_MAX_CPU_ISA": given} if given else {}
    code = "import os, mps_study.settings; print(os.environ['ONEDNN_MAX_CPU_ISA'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == found, done.stderr
