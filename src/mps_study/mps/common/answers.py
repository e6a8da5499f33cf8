"""What is said of a parameter that nothing reads."""

from __future__ import annotations

from collections.abc import Collection

from mps_study.mps.common.choices import Choices, all_names, choices_in, kind_of, names_of
from mps_study.mps.common.fields import Parameters, nearest


def unread(name: str, strategy: Parameters, choices: Choices) -> str:
    """One line for a parameter that other strategies read, but not this one: what this one reads, and which do."""
    about = f"the strategy {kind_of(strategy, choices)}"
    readers = f"choose {', '.join(kind for kind, each in choices.items() if name in all_names({kind: each}))}"
    for inner, others in choices_in(strategy).items():
        about += f" with the {inner} {kind_of(getattr(strategy, inner), others)}"
        of_inner = [kind for kind, each in others.items() if name in all_names({kind: each})]
        readers = f"choose the {inner} {', '.join(of_inner)}" if of_inner else readers
    reads = ", ".join(names_of(strategy)) or "no parameter"
    return f"search.{name} is not read by {about} (it reads {reads}); leave it out, or {readers}"


def unknown(name: str, known: Collection[str]) -> str:
    """One line for a parameter that does not exist, with the nearest that does."""
    return f"parameter 'search.{name}' is unknown{nearest(name, known, prefix='search.')}"
