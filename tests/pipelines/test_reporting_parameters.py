"""What a user may choose about the measures and the report, and how a wrong choice is answered."""

from __future__ import annotations

import copy
from pathlib import Path

import pandas as pd
import pytest
import yaml

from mps_study.pipelines.reporting.results import failed_stages, images_of_figures
from mps_study.project.parameters import ParameterError, Reporting, check_parameters
from mps_study.report.facts.selection import CHOICES

BASE = Path(__file__).parents[2] / "conf/base"
PARAMETERS = {
    **yaml.safe_load((BASE / "parameters.yml").read_text()),
    **yaml.safe_load((BASE / "parameters_models.yml").read_text()),
}


def with_group(name: str, **values: object) -> dict:
    parameters = copy.deepcopy(PARAMETERS)
    parameters[name] |= values
    return parameters


def test_the_accuracy_of_an_unknown_model_is_answered_with_the_nearest_name() -> None:
    check_parameters(with_group("metrics", fine_tuned_accuracy={"efficientnet_lite0": 0.9}))
    with pytest.raises(ParameterError, match="did you mean 'efficientnet_lite0'"):
        check_parameters(with_group("metrics", fine_tuned_accuracy={"efficientnet_lit0": 0.9}))
    with pytest.raises(ParameterError, match=r"less than or equal to 1"):
        check_parameters(with_group("metrics", fine_tuned_accuracy={"efficientnet_lite0": 90}))


def test_every_figure_that_has_a_rule_takes_an_image_by_hand_and_no_other_does() -> None:
    check_parameters(with_group("reporting", figure_images=dict.fromkeys(CHOICES, "coffee")))
    with pytest.raises(ParameterError, match=r"did you mean 'reporting.figure_images.gallery'"):
        check_parameters(with_group("reporting", figure_images={"galery": "coffee"}))


def test_the_explorers_sizes_are_checked() -> None:
    check_parameters(with_group("reporting", explorer={"heat_map": 0}))
    with pytest.raises(ParameterError, match=r"reporting.explorer.photo.*greater than or equal to 32"):
        check_parameters(with_group("reporting", explorer={"photo": 3}))
    with pytest.raises(ParameterError, match=r"reporting.explorer.thumbnial.*did you mean.*thumbnail"):
        check_parameters(with_group("reporting", explorer={"thumbnial": 100}))


def test_an_image_that_was_not_drawn_is_answered_with_the_nearest() -> None:
    manifest = pd.DataFrame({"image": ["coffee", "chelsea", "rocket"]})
    choose = Reporting(title="t", figure_images={"gallery": "coffe"})
    with pytest.raises(ValueError, match=r"did you mean 'coffee'.*figure_images.gallery"):
        images_of_figures(choose, manifest)


def test_notes_of_models_that_left_the_study_are_not_told() -> None:
    failures = {("model_export", "here"): "a", ("mps_extraction", "here, minimal"): "b", ("model_export", "gone"): "c"}
    assert failed_stages(failures, {"here", "other"}) == {
        "here, model_export": "a",
        "here, minimal, mps_extraction": "b",
    }
