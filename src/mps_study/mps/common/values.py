"""Parameters as plain values, for a log, and as what identifies a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mps_study.mps.common.choices import CHOICES, kind_of
from mps_study.mps.common.fields import Parameters


def values_of(part: Parameters) -> dict[str, Any]:
    """All parameters by name, a choice as a mapping of its `kind` and its own parameters."""
    return _values(part, changed=False)


def changed_values_of(part: Parameters) -> dict[str, Any]:
    """Those that are not at their default, at every depth (docs/decisions/0009)."""
    return _values(part, changed=True)


def _values(part: Parameters, changed: bool) -> dict[str, Any]:
    values = {}
    for each in fields(part):
        value, default = getattr(part, each.name), each.default
        if CHOICES in each.metadata:
            value = {"kind": kind_of(value, each.metadata[CHOICES])} | _values(value, changed)
            default = {"kind": default}
        if not changed or value != default:
            values[each.name] = _plain(value)
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, (tuple, list)) else value
