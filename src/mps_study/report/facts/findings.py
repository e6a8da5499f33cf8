"""The answers to the study's three questions, in sentences that hold this run's numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mps_study.report.facts import selection
from mps_study.report.facts import statistics_rows as rows
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import count, fixed, number, p_value, percent

FEW_SHARED = 0.5  # mean Dice below which two models' sets are called different
NEARLY_SAME = 0.9


@dataclass(frozen=True)
class Finding:
    """One question, its answer, and what the answer rests on.

    `verdict` is `open` when the question was not tested, or when the answer is in between.
    """

    question: str
    verdict: Literal["yes", "no", "open"]
    headline: str
    answer: str
    evidence: tuple[str, ...]


def all_findings(results: StudyResults) -> list[Finding]:
    """RQ1, RQ2 and RQ3, in the paper's order."""
    return [sizes(results), positions(results), correctness(results)]


def sizes(results: StudyResults) -> Finding:
    """RQ1: do MPS sizes differ?"""
    question = "RQ1: Do the sizes of MPSs differ between models?"
    row = rows.sizes_across_architectures(results)
    architectures = results.architectures()
    between = (
        f"the {len(results.models())} {architectures[0]} models (the only architecture)"
        if len(architectures) == 1
        else f"the {len(architectures)} architectures"
    )
    spread = size_spread(results)
    if len(results.models()) == 1:
        answer = f"Only {results.models()[0]} was run. {spread}"
        return Finding(question, "open", "Nothing to compare.", answer, ())
    if row is None or not rows.is_computed(row):
        answer = f"The test between {between} was skipped: {rows.why_not(row)}. {spread}"
        return Finding(question, "open", "Not tested.", answer, size_evidence(results))
    if rows.is_significant(row):
        answer = f"Sizes differ between {between}: {rows.as_text(row)}. {spread}"
        return Finding(question, "yes", "Yes.", answer, size_evidence(results))
    answer = (
        f"Between {between} the difference is not significant at α = {row['alpha']:g}: "
        f"{rows.as_text(row)}. That is no proof of equal sizes. {spread}"
    )
    return Finding(question, "no", "No difference found.", answer, size_evidence(results))


def size_spread(results: StudyResults) -> str:
    """Where the models' mean areas lie, from smallest to largest."""
    means = selection.found_areas(results).groupby("model")["area"].mean().sort_values()
    if means.empty:
        return "No MPS was found."
    if len(means) == 1:
        return f"Its mean area is {percent(means.iloc[0])} of the input."
    return (
        f"Mean areas go from {percent(means.iloc[0])} of the input ({means.index[0]}) to "
        f"{percent(means.iloc[-1])} ({means.index[-1]})."
    )


def size_evidence(results: StudyResults) -> tuple[str, ...]:
    """The paper's Kruskal-Wallis, and the tests within each architecture."""
    architectures = results.architectures()
    row = rows.kruskal_wallis(results)
    lines = []
    if row is not None and rows.is_computed(row):
        lines.append(f"The paper's test, which takes images as independent: {rows.as_text(row)}.")
    elif len(architectures) > 1:
        lines.append(f"The paper's Kruskal–Wallis test was skipped: {rows.why_not(row)}.")
    if len(architectures) > 1:
        lines += within_architectures(results)
    return tuple(lines)


def within_architectures(results: StudyResults) -> list[str]:
    """One sentence on the Friedman tests between the models of each architecture."""
    differ: list[str] = []
    alike: list[str] = []
    skipped: list[str] = []
    for name in results.architectures():
        row = rows.sizes_within_architecture(results, name)
        if row is None or not rows.is_computed(row):
            skipped.append(name)
        else:
            (differ if rows.is_significant(row) else alike).append(f"{name} ({p_value(row['p'])})")
    parts = [
        f"significant for {', '.join(differ)}" if differ else "",
        f"not significant for {', '.join(alike)}" if alike else "",
        f"skipped for {', '.join(skipped)}" if skipped else "",
    ]
    said = "; ".join(part for part in parts if part)
    return [f"Between the models of one architecture (Friedman): {said}."]


def positions(results: StudyResults) -> Finding:
    """RQ2: do MPSs lie in different places? Described by overlap; there is no test of equality."""
    question = "RQ2: Do MPSs lie in different places?"
    which, where = rows.CORRECT_BY_ALL, "labelled images that all of them classify correctly"
    dice = rows.mean_overlaps(results, "dice", which)
    if dice.empty:
        which, where = rows.ALL_IMAGES, "images with both MPSs (too few are right for all of them)"
        dice = rows.mean_overlaps(results, "dice", which)
    if dice.empty:
        answer = "No two compared models have enough images in common; the means were skipped."
        return Finding(question, "open", "Not measured.", answer, ())
    dice = dice.sort_values("effect", kind="stable")
    low, high = dice.iloc[0], dice.iloc[-1]
    mean = (
        f"mean Dice is {fixed(low['effect'], 2)} ({low['contrast']})"
        if len(dice) == 1
        else f"mean Dice goes from {fixed(low['effect'], 2)} ({low['contrast']}) to "
        f"{fixed(high['effect'], 2)} ({high['contrast']})"
    )
    answer = (
        f"Between {selection.compared_in_words(results)}, on {int(dice['n'].min())} {where}, "
        f"{mean}, where 1 means the same pixels.{farthest(results, which)}"
    )
    rule = (
        f"Described, not tested: yes when every pair's mean Dice is below {FEW_SHARED}, hardly "
        f"when every one is above {NEARLY_SAME}, their {rows.interval(rows.level(dice))}s included; else in part."
    )
    if dice["ci_high"].max() < FEW_SHARED:
        return Finding(question, "yes", "Yes, mostly.", answer, (rule,))
    if dice["ci_low"].min() > NEARLY_SAME:
        return Finding(question, "no", "Hardly.", answer, (rule,))
    return Finding(question, "open", "In part.", answer, (rule,))


def farthest(results: StudyResults, which: str) -> str:
    """A sentence on the mean Hausdorff distances, or nothing."""
    distances = rows.mean_overlaps(results, "hausdorff", which)["effect"]
    if distances.empty:
        return ""
    low, high = fixed(distances.min(), 0), fixed(distances.max(), 0)
    reach = low if low == high else f"{low} to {high}"
    return f" The mean Hausdorff distance is {reach} pixels of the source image."


def correctness(results: StudyResults) -> Finding:
    """RQ3: are the MPSs of wrong classifications larger?"""
    question = "RQ3: Are the MPSs of wrong classifications larger?"
    row = rows.correctness(results)
    if row is None or not rows.is_computed(row):
        answer = f"The test was skipped: {rows.why_not(row)}. {wrong_and_right(results)}"
        return Finding(question, "open", "Not tested.", answer, ())
    larger = row["effect"] > 0
    by = (
        f"{number(abs(row['effect']), 2)} percentage points {'larger' if larger else 'smaller'} "
        f"({rows.interval(row.get('confidence'))} of wrong minus right: {number(row['ci_low'], 2)} to "
        f"{number(row['ci_high'], 2)}; z = {number(row['statistic'])}, {p_value(row['p'])}, "
        f"n = {int(row['n'])} areas)"
    )
    lines = ["Mixed linear model with random intercepts for model and image."]
    relative = rows.correctness(results, relative=True)
    if relative is not None and rows.is_computed(relative):
        lines[0] += f" Relative to a right classification's area: {relative_text(relative)}."
    if row["reason"]:
        lines.append(f"Note on the fit: {row['reason'].rstrip('.')}.")
    evidence = (*lines, wrong_and_right(results))
    if not rows.is_significant(row):
        answer = f"The MPSs of wrong classifications are {by}, which is not significant at α = {row['alpha']:g}."
        return Finding(question, "no", "No difference found.", answer, evidence)
    headline = "Yes." if larger else "No, they are smaller."
    answer = f"The MPSs of wrong classifications are {by}."
    return Finding(question, "yes" if larger else "no", headline, answer, evidence)


def relative_text(row: rows.StatRow) -> str:
    """The relative effect with its sign: '+31.0%'."""
    return f"{'+' if row['effect'] > 0 else '−'}{percent(abs(row['effect']))}"


def wrong_and_right(results: StudyResults) -> str:
    """How many labelled MPSs are of right and of wrong classifications, and their mean areas."""
    areas = selection.found_areas(results).dropna(subset=["correct"])
    right = areas["correct"].astype(bool)
    means = [
        f"{count(len(part), f'{name} classification')}"
        + (f" (mean area {percent(part['area'].mean())})" if len(part) else "")
        for name, part in (("right", areas[right]), ("wrong", areas[~right]))
    ]
    return f"The labelled half has {means[0]} and {means[1]} with an MPS."


def size_test_line(results: StudyResults) -> str:
    """The title of the figure of sizes: both tests, or why one was skipped."""
    lines = []
    lead, kruskal = rows.sizes_across_architectures(results), rows.kruskal_wallis(results)
    if lead is not None and rows.is_computed(lead):
        lines.append(f"matched images: {rows.as_text(lead)}")
    if kruskal is not None and rows.is_computed(kruskal):
        lines.append(f"across architectures: {rows.as_text(kruskal)}")
    return "\n".join(lines)


def correctness_test_line(results: StudyResults) -> str:
    """The title of the figure of correctness; nothing when the test was skipped."""
    row = rows.correctness(results)
    if row is None or not rows.is_computed(row):
        return ""
    return (
        f"wrong − right: {number(row['effect'], 2)} percentage points "
        f"({number(row['ci_low'], 2)} to {number(row['ci_high'], 2)}), {p_value(row['p'])}"
    )
