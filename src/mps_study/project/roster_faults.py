"""What is wrong with a study's roster, and with the models that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mps_study.common.spelling import unknown
from mps_study.models.inference.preprocessing import Preprocessing, implausible
from mps_study.models.roster.origins import origin_fault
from mps_study.models.roster.roster import Roster
from mps_study.project.faults import faults_in


def compared_faults(parameters: Mapping[str, Any]) -> list[str]:
    """`compared` that is no list of names, each once."""
    if "compared" not in parameters:
        return ["parameter 'compared' is missing from conf; list models of the roster, in the order of the tables"]
    compared = parameters["compared"]
    names = compared if isinstance(compared, list) and all(isinstance(name, str) for name in compared) else []
    if names and len(set(names)) == len(names):
        return []
    return [f"parameter 'compared' is {compared!r}; list names of the roster, each once"]


def choice_faults(roster: Roster, model: Any, compared: list[str]) -> list[str]:
    """Compared models, and a chosen one, that are not in the roster."""
    faults = []
    for name in dict.fromkeys([*compared, *([] if model is None else [str(model)])]):
        try:
            roster.choose(name, compared)
        except ValueError as error:
            faults.append(str(error))
    return faults


def roster_faults(roster: Roster) -> list[str]:
    """Wrong preprocessing, and weights of no known origin."""
    faults: list[str | None] = []
    for name, entry in roster.root.items():
        fields = {"input_size": 1} | entry.preprocessing  # a file tells its size, timm's configuration the rest
        faults += (wrong := faults_in(f"models.{name}.preprocessing", fields, Preprocessing))
        if not wrong and {"mean", "std"} & fields.keys() and (fault := implausible(Preprocessing(**fields))):
            faults.append(f"models.{name}.preprocessing.{fault}")
        faults.append(None if entry.onnx else origin_fault(name, entry))
    return [fault for fault in faults if fault]


def strangers(parameters: Mapping[str, Any]) -> list[str]:
    """Models of `metrics.fine_tuned_accuracy` that the roster does not have."""
    metrics, models = parameters.get("metrics"), parameters.get("models")
    known = metrics.get("fine_tuned_accuracy") if isinstance(metrics, Mapping) else None
    if not isinstance(known, Mapping) or not isinstance(models, Mapping):
        return []  # said elsewhere
    where = "metrics.fine_tuned_accuracy names models of the roster, parameters_models.yml."
    return [
        unknown("model", str(name), models, where) for name in known if isinstance(name, str) and name not in models
    ]
