"""The answer to a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[object], where: str) -> str:
    """One line: what is unknown, the nearest known name, and where names are defined."""
    names = sorted(map(str, known))
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}."
    return f"{kind} {name!r} is unknown; {hint} {where}"
