"""How far sets can be trusted, and what they say about models: a sentence a question, with this run's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from mps_study.common.searches import OWN
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import count, fixed, is_missing, percent

ALL = "all models"
"""In place of a model, in the `trust` frame."""

FREE, SIZE = "maximum softmax probability", "small area"
KEPT = "share that keep the class"
NOT_ASKED = "not asked in this run"


def rows_of(results: StudyResults, question: str, **wanted: Any) -> pd.DataFrame:
    """The rows of a question, of these measures, searches, ...; without those that say why there is nothing."""
    trust = results.trust
    rows = trust[(trust["question"] == question) & (trust["missing"] == "")] if len(trust) else trust
    for name, value in wanted.items():
        rows = rows[rows[name] == value] if len(rows) else rows
    return rows


def why_not(results: StudyResults, question: str) -> str:
    """Why a question has no answer at all, in the words of its first row."""
    trust = results.trust
    rows = trust[trust["question"] == question] if len(trust) else trust
    return str(rows["missing"].iloc[0]) if len(rows) else NOT_ASKED


def said(row: pd.Series[Any], write: Callable[[Any], str]) -> str:
    """'43% (31 to 56)'."""
    value = write(row["value"])
    if is_missing(row["low"]):
        return value
    return f"{value} ({write(row['low'])} to {write(row['high'])})"


def survival(results: StudyResults) -> str:
    """Which condition sets survive best, and which worst."""
    rows = rows_of(results, "survival", measure=KEPT, search=OWN)
    if rows.empty:
        return ""
    means = rows.groupby("condition", sort=False)["value"].mean()
    best, worst = str(means.idxmax()), str(means.idxmin())
    random = "random_backgrounds"
    on_noise = f"; on random backgrounds {percent(means[random])}" if random in means.index else ""
    return (
        f"Of the study's own sets {percent(means[best])} keep their class under {words(best)}, the mildest of "
        f"{count(len(means), 'condition')}, and {percent(means[worst])} under {words(worst)}, the hardest{on_noise} "
        f"(means over {count(rows['model'].nunique(), 'model')}, n = {int(rows['n'].max())} images each)."
    )


def stability(results: StudyResults) -> str:
    """How alike the sets of two seeds are."""
    dice = rows_of(results, "stability", measure="Dice coefficient")
    spread = rows_of(results, "stability", measure="larger area over smaller")
    if dice.empty:
        return ""
    return (
        f"Two seeds find sets with a mean Dice coefficient of {fixed(dice['value'].mean(), 2)}, from "
        f"{fixed(dice['value'].min(), 2)} to {fixed(dice['value'].max(), 2)} by model; the larger of the two has "
        f"{fixed(spread['value'].mean(), 2)} times the area of the smaller."
    )


def cross(results: StudyResults) -> str:
    """How often a set convinces another model."""
    rows = rows_of(results, "cross", measure="gives the owner's class", search=OWN)
    if rows.empty:
        return ""
    first = rows[rows["share"] == rows["share"].min()]
    best, worst = first.sort_values("value").iloc[-1], first.sort_values("value").iloc[0]
    floors = [
        f"{percent(group['value'].mean())} at {share:g} of the confidence"
        for share, group in rows.groupby("share")
        if share > rows["share"].min()
    ]
    return (
        f"A set gives its class to another model in {percent(first['value'].mean())} of all cases"
        f"{' (' + ', '.join(floors) + ')' if floors else ''}: most often {best['model']}'s to {best['other']} "
        f"({percent(best['value'])}), least often {worst['model']}'s to {worst['other']} ({percent(worst['value'])})."
    )


def parts(results: StudyResults) -> str:
    """Whether sets are compositional."""
    rows = rows_of(results, "sub_explanations", measure="area under the curve", condition="")
    rows = rows[rows["model"] != ""] if len(rows) else rows
    if rows.empty:
        return ""
    search = OWN if OWN in set(rows["search"]) else rows["search"].iloc[0]
    mine = rows[rows["search"] == search]
    best, worst = mine.sort_values("value").iloc[-1], mine.sort_values("value").iloc[0]
    return (
        f"As tiles are deleted from a set of {search}, the mean relative confidence over all shares is "
        f"{fixed(mine['value'].mean(), 2)} (.5 where every tile adds alike, near 0 where all are needed), from "
        f"{fixed(worst['value'], 2)} for {worst['model']} to {fixed(best['value'], 2)} for {best['model']}."
    )


def failures(results: StudyResults) -> str:
    """Whether the size of a set tells failures, and more than the softmax probability does."""
    rows = rows_of(results, "failures", measure="AUROC of failures")
    added = rows_of(results, "failures", measure="AUROC added by the set")
    if rows.empty or added.empty:
        return ""
    model = ALL if ALL in set(added["model"]) else added["model"].iloc[0]
    mine, more = rows[rows["model"] == model], added[added["model"] == model].iloc[0]
    size, free = mine[mine["condition"] == SIZE], mine[mine["condition"] == FREE]
    if size.empty or free.empty:
        return ""
    told = "more than" if more["low"] > 0 else "less than" if more["high"] < 0 else "not told from"
    return (
        f"For {model}, the area alone tells wrong answers from right ones with an AUROC of "
        f"{said(size.iloc[0], two)}, the softmax probability, which is free, with {said(free.iloc[0], two)}; both "
        f"together, fitted on other images, add {said(more, two)} to that, which is {told} nothing "
        f"(n = {int(more['n'])} answers)."
    )


def confidence_and_size(results: StudyResults) -> str:
    """Whether a small set means a sure model."""
    rows = rows_of(results, "confidence_and_size", measure="area and confidence of the whole image", search=OWN)
    if rows.empty:
        return ""
    model = ALL if ALL in set(rows["model"]) else rows["model"].iloc[0]
    row = rows[rows["model"] == model].iloc[0]
    told = (
        "unclear"
        if is_missing(row["low"]) or row["low"] <= 0 <= row["high"]
        else ("sure" if row["value"] < 0 else "unsure")
    )
    meaning = f"a small set goes with {'a sure' if told == 'sure' else 'an unsure'} model"
    verdict = "no relation can be told" if told == "unclear" else meaning
    whom = "within models" if model == ALL else f"for {model}"
    return (
        f"The rank correlation of a set's area with the confidence of the whole image is {said(row, two)} {whom} "
        f"(n = {int(row['n'])} images): {verdict}."
    )


def disjoint_sets(results: StudyResults) -> str:
    """Whether more sets mean a better model."""
    rows = rows_of(results, "disjoint_sets", measure="sets an image")
    relation = rows_of(results, "disjoint_sets", measure="rank correlation with accuracy, across models")
    if rows.empty:
        return ""
    means = f"Models find {fixed(rows['value'].min(), 2)} to {fixed(rows['value'].max(), 2)} sets an image"
    if relation.empty:
        return f"{means}; whether that goes with accuracy takes three models or more."
    row = relation.iloc[0]
    return f"{means}; across {count(row['n'], 'model')} the rank correlation with accuracy is {two(row['value'])}."


def people(results: StudyResults) -> str:
    """Whether sets lie inside what people marked."""
    rows = rows_of(results, "people", search=OWN)
    inside = rows[rows["measure"] == "share of the set inside"] if len(rows) else rows
    if inside.empty:
        return ""
    more = rows[rows["measure"] == "more inside than by chance"]["value"]
    beside = rows[rows["measure"] == "sets beside the object"].sort_values("value")
    most_often = f"{beside['model'].iloc[-1]} ({percent(beside['value'].iloc[-1])})"
    return (
        f"Of a set, {percent(inside['value'].mean())} lies inside what people marked, {percent(more.mean())} of it "
        f"more than by chance (means over {count(len(inside), 'model')}, n = {int(inside['n'].max())} images each); "
        f"{percent(beside['value'].mean())} of the sets lie beside the object"
        f"{f', most often those of {most_often}' if beside['value'].nunique() > 1 else ''}."
    )


def misclassified(results: StudyResults) -> str:
    """How much the sets of both classes share."""
    rows = rows_of(results, "misclassified", measure="Dice coefficient of both sets")
    if rows.empty:
        return ""
    return (
        f"On {int(rows['n'].sum())} wrong answers with both sets, that of the answer and that of the label have a mean "
        f"Dice coefficient of {two((rows['value'] * rows['n']).sum() / rows['n'].sum())}."
    )


def two(value: Any) -> str:
    """Two decimals."""
    return fixed(value, 2)


def words(name: Any) -> str:
    """A condition's name in words."""
    return str(name).replace("_", " ")


TRUST: dict[str, tuple[str, Callable[[StudyResults], str]]] = {
    "survival": ("Do sets keep their class under other conditions?", survival),
    "stability": ("Does another seed find the same sets?", stability),
    "cross": ("Is what suffices for one model enough for another?", cross),
    "sub_explanations": ("Do parts of a set still carry its class?", parts),
}
MODELS: dict[str, tuple[str, Callable[[StudyResults], str]]] = {
    "failures": ("Do sets tell wrong answers from right ones, and more than what is free?", failures),
    "confidence_and_size": ("Does a small set mean a sure model?", confidence_and_size),
    "disjoint_sets": ("Do better models find more sets?", disjoint_sets),
    "people": ("Do models look at what people marked?", people),
    "misclassified": ("Where a model is wrong, what do the sets of both classes share?", misclassified),
}
"""Question -> how it is asked, and the sentence that answers it; empty where the data do not carry an answer."""


def answers(results: StudyResults, questions: dict[str, tuple[str, Callable[[StudyResults], str]]]) -> dict[str, str]:
    """How each question is asked -> its answer, or why there is none."""
    return {
        asked: sentence(results) or f"Not answered: {why_not(results, name)}."
        for name, (asked, sentence) in questions.items()
    }


def condition_order(results: StudyResults) -> list[str]:
    """Conditions as they were asked."""
    rows = rows_of(results, "survival")
    return [str(name) for name in rows["condition"].unique()] if len(rows) else []
