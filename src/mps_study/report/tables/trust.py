"""What was asked about known sets, and what sets say about models, as tables: one a question of the `trust` frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from mps_study.report.facts.results import StudyResults

ENDS = ("low", "high", "n")


@dataclass(frozen=True)
class Shape:
    """How a question's rows become a table: columns that name a row, and measures that stand beside each other."""

    question: str
    keys: Mapping[str, str]
    measures: Mapping[str, str]


MODEL = {"model": "Model"}
OF_A_SET = MODEL | {"search": "Search", "share": "Floor"}

SHAPES: dict[str, Shape] = {
    "survival": Shape(
        "survival",
        MODEL | {"search": "Search", "condition": "Condition"},
        {"share that keep the class": "Share that keep the class", "confidence": "Confidence of the class"},
    ),
    "stability": Shape(
        "stability",
        MODEL | {"search": "Search", "other": "Other seed"},
        {"Dice coefficient": "Dice coefficient", "larger area over smaller": "Larger area over smaller"},
    ),
    "cross_sufficiency": Shape(
        "cross",
        {"model": "Sets of", "other": "Asked model", "search": "Search", "share": "Floor"},
        {"gives the owner's class": "Share that give the class", "keeps its own class": "Share where its own is kept"},
    ),
    "convinced": Shape(
        "cross",
        OF_A_SET,
        {
            "convinces every other model": "Share that convince every model",
            "convinces no other model": "Share that convince none",
        },
    ),
    "sub_explanations": Shape(
        "sub_explanations",
        MODEL | {"condition": "Kind", "other": "Models of", "search": "Search"},
        {
            "area under the curve": "Curve of confidence, area",
            "parts that keep half of the confidence": "Parts that keep half",
        },
    ),
    "failure_monitor": Shape(
        "failures",
        MODEL | {"condition": "Score"},
        {
            "AUROC of failures": "AUROC",
            "AUROC added by the set": "AUROC added",
            "AURC": "AURC",
            "AUGRC": "AUGRC",
            "wrong answers outside of the range of right ones": "Share of wrong outside the range",
            "right ones outside": "Share of right outside",
            "evaluations": "Evaluations",
        },
    ),
    "confidence_and_size": Shape(
        "confidence_and_size",
        OF_A_SET,
        {
            "area and confidence of the set": "Correlation of area and confidence of the set",
            "area and confidence of the whole image": "Correlation of area and confidence of the image",
            "confidence of the set and of the whole image": "Correlation of both confidences",
        },
    ),
    "disjoint_sets": Shape(
        "disjoint_sets",
        MODEL,
        {
            "sets an image": "Sets an image",
            "rank correlation with accuracy, across models": "Correlation with accuracy, across models",
        },
    ),
    "agreement": Shape(
        "people",
        MODEL | {"search": "Search"},
        {
            "share of the set inside": "Share of the set inside",
            "more inside than by chance": "Share more than by chance",
            "share of the object covered": "Share of the object covered",
            "pointing game": "Share of pointing game won",
            "responsibility inside": "Share of responsibility inside",
            "sets beside the object": "Share of sets beside",
        },
    ),
    "misclassified": Shape(
        "misclassified",
        MODEL | {"search": "Search"},
        {
            "Dice coefficient of both sets": "Dice coefficient of both",
            "area of the label's set over that of the answer's": "Larger by a factor of",
        },
    ),
}


def table_of(name: str) -> Callable[[StudyResults], pd.DataFrame]:
    """The function that makes a table of `SHAPES`."""
    return lambda results: trust_table(results, SHAPES[name])


def trust_table(results: StudyResults, shape: Shape) -> pd.DataFrame:
    """One row for what a number is of; each measure with interval and n; a note where there is nothing, and why."""
    trust = results.trust
    rows = trust[(trust["question"] == shape.question)] if len(trust) else trust
    rows = rows[rows["measure"].isin(list(shape.measures)) | (rows["missing"] != "")] if len(rows) else rows
    keys = list(shape.keys)
    found: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows.to_dict("records"):
        key = tuple("" if pd.isna(row[name]) else row[name] for name in keys)
        line = found.setdefault(key, dict(zip(shape.keys.values(), key, strict=True)) | {"Note": ""})
        if row["missing"]:
            line["Note"] = row["missing"]
        elif (heading := shape.measures.get(row["measure"])) is not None:
            line |= {heading: row["value"]} | {f"{heading}, {end}": row[end] for end in ENDS}
    columns = [*shape.keys.values()]
    for heading in shape.measures.values():
        if any(heading in line for line in found.values()):
            columns += [heading, *(f"{heading}, {end}" for end in ENDS)]
    columns += ["Note"] if any(line["Note"] for line in found.values()) else []
    table = pd.DataFrame(list(found.values()), columns=columns)
    numbers = [name for name in columns if name not in (*shape.keys.values(), "Note")]
    return table.astype(dict.fromkeys(numbers, "float64"))


TRUST_TABLES: dict[str, Callable[[StudyResults], pd.DataFrame]] = {
    name: table_of(name) for name in ("survival", "stability", "cross_sufficiency", "convinced", "sub_explanations")
}
MODELS_TABLES: dict[str, Callable[[StudyResults], pd.DataFrame]] = {
    name: table_of(name)
    for name in ("failure_monitor", "confidence_and_size", "disjoint_sets", "agreement", "misclassified")
}
