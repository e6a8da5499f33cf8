"""What is wrong with the values of one group of parameters, a line for each fault."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from mps_study.common.spelling import unknown
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
