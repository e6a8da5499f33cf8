"""A choice is a name, a mapping of `kind` and arguments, or the object that either stands for.

    minimal        {kind: minimal, granularity: 2}        Minimal(granularity=2)

Parameters may also be given *loose*, beside a choice instead of in it: each goes to whichever chosen part reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from typing import Any

from mps_study.mps.common.fields import TAKE, Parameters, nearest

Choices = Mapping[str, type[Parameters]]
"""Name -> the dataclass of its parameters."""

CHOICES = "choices"
"""Key of a field's metadata: the choices of a parameter that is one."""


def choice(default: str, choices: Choices, base: type[Parameters]) -> Any:
    """A field that holds one of some dataclasses, or an own one derived from their `base`."""

    def take(name: str, value: object) -> Parameters:
        part = chosen(name, value, choices, {})
        if not isinstance(part, base):
            raise ValueError(f"search.{name} is {value!r}; use one of {', '.join(choices)}")
        return part

    return field(default=default, metadata={TAKE: take, CHOICES: choices})


def choices_in(part: Parameters | type[Parameters]) -> dict[str, Choices]:
    """The fields of a dataclass that are choices themselves."""
    return {each.name: each.metadata[CHOICES] for each in fields(part) if CHOICES in each.metadata}


def chosen(name: str, given: object, choices: Choices, loose: dict[str, Any]) -> Parameters:
    """What a name or a mapping stands for, with those of the loose parameters that it reads. An object is left alone.

    Raises:
        ValueError: no such kind or argument, a parameter that is given loose and in the mapping, or a wrong value.
    """
    if isinstance(given, Parameters):
        for twice in (each for each in names_of(given) if each in loose):
            raise ValueError(_twice(twice))
        return given
    kind, arguments = _kind(name, given, choices)
    part, read = choices[kind], taken_by(kind, choices, loose | arguments)
    for stranger in (each for each in arguments if each not in read):
        near = nearest(stranger, all_names({kind: part}))
        raise ValueError(f"search.{name} is {given!r}; {kind} has no parameter {stranger!r}{near}")
    for twice in (each for each in read if each in loose and each in arguments):
        raise ValueError(_twice(twice))
    beside = {each: value for each, value in (loose | arguments).items() if each in read}
    own = {each.name: beside.pop(each.name, each.default) for each in fields(part)}
    inner = {each: chosen(each, own[each], others, beside) for each, others in choices_in(part).items()}
    return part(**own | inner)


def taken_by(given: object, choices: Choices, loose: Mapping[str, Any]) -> set[str]:
    """Names of those loose parameters that a choice takes: none for an object, all for what is no choice."""
    if isinstance(given, Parameters):
        return set()
    kind = given.get("kind") if isinstance(given, Mapping) else given
    if not isinstance(kind, str) or kind not in choices:
        return set(loose)
    part, arguments = choices[kind], given if isinstance(given, Mapping) else {}
    names = {each.name for each in fields(part)}
    for each in fields(part):
        if CHOICES in each.metadata:
            inside = arguments.get(each.name, loose.get(each.name, each.default))
            names |= taken_by(inside, each.metadata[CHOICES], loose)
    return names & loose.keys()


def names_of(part: Parameters) -> Iterator[str]:
    """Every parameter that an object has, those of the choices in it included."""
    for each in fields(part):
        yield each.name
        if CHOICES in each.metadata:
            yield from names_of(getattr(part, each.name))


def all_names(choices: Choices) -> dict[str, None]:
    """Every parameter that some choice reads, in order."""
    names: dict[str, None] = {}
    for part in choices.values():
        for each in fields(part):
            names |= {each.name: None} | all_names(each.metadata.get(CHOICES, {}))
    return names


def flat(given: Mapping[Any, Any], choices: Mapping[str, Choices]) -> dict[Any, Any]:
    """The same parameters with those of `choices` written loose.

    Raises:
        ValueError: a parameter is given both ways.
    """
    values: dict[Any, Any] = {}
    for name, value in given.items():
        found = {name: value}
        if name in choices and isinstance(value, Mapping):
            inside = flat({key: each for key, each in value.items() if key != "kind"}, choices)
            found = ({name: value["kind"]} if "kind" in value else {}) | inside
        for twice in (each for each in found if each in values):
            raise ValueError(_twice(twice))
        values |= found
    return values


def kind_of(part: Parameters, choices: Choices) -> str:
    """The name of an object among the choices; of one that is not among them, its class and where that is."""
    own = f"{type(part).__module__}.{type(part).__qualname__}"
    return next((kind for kind, each in choices.items() if each is type(part)), own)


def _kind(name: str, given: object, choices: Choices) -> tuple[str, dict[str, Any]]:
    arguments = dict(given) if isinstance(given, Mapping) else {"kind": given}
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in choices:
        raise ValueError(f"search.{name} is {given!r}; use one of {', '.join(choices)}, alone or as `kind`")
    return kind, arguments


def _twice(name: str) -> str:
    return f"search.{name} is given twice, beside a choice and in it; leave out one"
