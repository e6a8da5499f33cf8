"""Where a roster entry may say that its weights come from."""

from __future__ import annotations

from collections.abc import Callable

from mps_study.models.roster.roster import ModelEntry

ORIGINS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "hub": ("`hub`; a tag is part of the timm name", lambda rest: not rest),
    "file": ("`file:PATH`", bool),
    "package": ("`package:NAME` of a Python module", lambda rest: all(map(str.isidentifier, rest.split(".")))),
    "fine_tuned": ("`fine_tuned` or `fine_tuned:` and where it starts from", lambda rest: not rest),
    "random": (
        "`random` or `random:SEED`, a whole number",
        lambda rest: rest.isascii() and (not rest or rest.isdigit()),
    ),
}
"""Scheme of `weights` -> what is written, and whether what follows the colon fits; `weights.WEIGHTS` loads them."""


def origin_fault(name: str, entry: ModelEntry) -> str | None:
    """One line if the entry's `weights` name no known origin; None if they do."""
    scheme, _, rest = entry.weights.partition(":")
    if scheme == "fine_tuned" and rest:
        scheme, _, rest = rest.partition(":")
    if scheme not in ORIGINS:
        return f"model {name!r}: weights {entry.weights!r} are unknown; use one of {', '.join(ORIGINS)}"
    wanted, fits = ORIGINS[scheme]
    if fits(rest):
        return None
    return f"model {name!r}: weights {entry.weights!r} should be {wanted}"
