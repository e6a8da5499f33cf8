"""What is wrong with the values of one group of parameters, or with the roster and who is compared, a line each."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from mps_study.common.spelling import unknown
from mps_study.models.inference.preprocessing import Preprocessing, implausible
from mps_study.models.roster.origins import origin_fault
from mps_study.models.roster.roster import ModelEntry, Roster
from mps_study.mps.config import SearchConfig


def faults_in(name: str, values: Any, group: type) -> list[str]:
    """A line for each value of a group that is unknown, missing, of the wrong type or out of range."""
    if not isinstance(values, Mapping):
        return [f"parameter group {name!r} is {values!r}; it must be a mapping of names to values"]
    if dataclasses.is_dataclass(group):
        known = group.names() if group is SearchConfig else [field.name for field in dataclasses.fields(group)]
        faults = [unknown_parameter(f"{name}.{key}", name, known) for key in values if key not in known]
        missing = (field.name for field in dataclasses.fields(group) if field.default is dataclasses.MISSING)
        faults += [f"parameter '{name}.{key}' is missing" for key in missing if key not in values]
        if faults:
            return faults
        try:
            group(**values)
        except (ValueError, TypeError) as error:
            return [str(error)]
        return []
    assert issubclass(group, BaseModel)
    try:
        group.model_validate(values)
    except ValidationError as error:
        found = error.errors()
        wrong_keys = {fault["loc"][:-1] for fault in found if fault["loc"][-1:] == ("[key]",)}
        return [_line(name, fault, group) for fault in found if fault["loc"] not in wrong_keys]
    return []


def _line(name: str, fault: Any, group: type[BaseModel]) -> str:
    path = ".".join([name, *(str(part) for part in fault["loc"] if part != "[key]")])
    if fault["type"] == "extra_forbidden":
        return unknown_parameter(path, path.rpartition(".")[0], _known_beside(group, fault["loc"]))
    if fault["loc"][-1:] == ("[key]",) and fault["type"] == "literal_error":
        parent = ".".join([name, *(str(part) for part in fault["loc"][:-2])])
        return unknown_parameter(path, parent, re.findall("'(.*?)'", fault["ctx"]["expected"]))
    if fault["type"] == "missing":
        return f"parameter {path!r} is missing"
    message = fault["msg"].removeprefix("Value error, ")
    arrived = fault["input"]
    if isinstance(arrived, (str, int, float, bool, type(None))):
        return f"parameter {path!r} is {arrived!r}: {message}"
    return f"parameter {path!r}: {message}"


def _known_beside(group: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Names that are allowed where an unknown one was found."""
    if issubclass(group, Roster):
        return list(ModelEntry.model_fields)
    model: Any = group
    for part in location[:-1]:
        annotation = model.model_fields[part].annotation
        members = getattr(annotation, "__args__", (annotation,))
        model = next((m for m in members if hasattr(m, "model_fields")), group)
    return list(model.model_fields)


def unknown_parameter(path: str, parent: str, known: list[str]) -> str:
    """What is said of a name that a group does not have."""
    return unknown("parameter", path, [f"{parent}.{name}" for name in known], "See conf/base/parameters.yml.")


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
