"""Which devices and versions a study's records come from, in words."""

from __future__ import annotations

from mps_study.report.facts.results import Making, StudyResults
from mps_study.report.facts.wording import count


def making_lines(results: StudyResults) -> list[str]:
    """A sentence for each device and set of versions; before them how many there are, when they are several."""
    if len(results.makings) == 1:
        (making,) = results.makings
        return [f"All {count(making.records, 'record')}: {_described(making)}."]
    lines = [
        f"{count(making.records, 'record')} of {', '.join(making.models)}: {_described(making)}."
        for making in results.makings
    ]
    if _known(results) < 2:
        return lines
    return [
        f"The records come from {_known(results)} devices or sets of versions, which may differ by rounding.",
        *lines,
    ]


def making_note(results: StudyResults) -> str:
    """A few words for the first lines of a study of several; empty for all others."""
    return f", made with {_known(results)} devices or sets of versions" if _known(results) > 1 else ""


def _known(results: StudyResults) -> int:
    return sum(bool(making.made_with) for making in results.makings)


def _described(making: Making) -> str:
    facts = [f"{name} {value}" for name, value in making.made_with.items()]
    if making.tolerance is not None:
        facts.append(f"answers in batches within {making.tolerance:.2g} of those alone, as a logit")
    return ", ".join(facts) or "device and versions are not known"
