"""Tables of a study's searches, one beside another."""

from __future__ import annotations

import pandas as pd

from mps_study.common.floors import demanded
from mps_study.mps.types import STATUSES
from mps_study.report.facts.both_classes import KEYS, both_classes
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.searches import DIFFERENCE, WILCOXON, compared, differences, further_floors, references

SUMMARY_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "search": "Search",
    "area": "Area",
    "area_low": "Area, low",
    "area_high": "Area, high",
    "area_n": "Area, n",
    "confidence": "Confidence, set alone",
    "dilation_survival": "Survive dilation",
    "evaluations": "Evaluations an image",
}
DIFFERENCE_HEADINGS = {
    "architecture": "Architecture",
    "model": "Model",
    "search": "Search",
    "against": "Against",
    "demanded": "Set",
    "n": "n",
    "effect": "Area difference",
    "ci_low": "Area difference, low",
    "ci_high": "Area difference, high",
    "rank_biserial": "Effect, rank-biserial",
    "p": "p",
    "p_adj": "p, Bonferroni",
    "p_holm": "p, Holm",
    "significant": "Significant",
    "dropped": "Dropped",
    "note": "Note",
}
BOTH_HEADINGS = {
    "image": "Image",
    "model": "Model",
    "given": "Given",
    "true": "Label",
    "target_confidence_given": "Confidence, given",
    "target_confidence_label": "Confidence, label",
    "area_given": "Area, given",
    "area_label": "Area, label",
    "confidence_given": "Confidence of its set, given",
    "confidence_label": "Confidence of its set, label",
    "dice": "Dice",
    "note": "Note",
}


def table_of_searches(results: StudyResults) -> pd.DataFrame:
    """One row a model and search, a model's searches together; last, how many images ended in each status."""
    summary = compared(results).summary
    places = {name: place for place, name in enumerate(compared(results).names())}
    models = {name: place for place, name in enumerate(results.models())}
    ordered = summary.assign(_model=summary["model"].map(models), _search=summary["search"].map(places))
    ordered = ordered.sort_values(["_model", "_search"], ignore_index=True)
    ended = {status: f"Images, {status}" for status in STATUSES if ordered[status].any()}
    headings = SUMMARY_HEADINGS | ended
    return ordered[list(headings)].rename(columns=headings)


def table_of_search_differences(results: StudyResults) -> pd.DataFrame:
    """Each search against the study's own, and those of `statistics.against`, on the same images, at each floor of
    confidence: how much its areas differ, and the test."""
    floors = [None, *further_floors(results)]
    tables = [differences_from(results, against, share) for against in references(results) for share in floors]
    return pd.concat(tables, ignore_index=True).rename(columns=DIFFERENCE_HEADINGS)


def differences_from(results: StudyResults, against: str, share: float | None) -> pd.DataFrame:
    """The rows of one search that others are compared with, of the first sets or at a further floor."""
    means, tests = (differences(results, test, against, share) for test in (DIFFERENCE, WILCOXON))
    reason = tests["reason"].astype(str)
    significant = tests["significant"].astype("boolean").map({True: "yes", False: "no"}).astype(object)
    table = means.assign(
        architecture=[results.architecture_of(model) for model in means["model"]],
        demanded="first" if share is None else demanded(share),
        rank_biserial=tests["effect"],
        significant=significant.where(significant.notna(), ""),
        note=reason.where(tests["status"] == "ok", "skipped: " + reason),
        **{name: tests[name] for name in ("p", "p_adj", "p_holm")},
    )
    return table[list(DIFFERENCE_HEADINGS)]


def table_of_both_classes(results: StudyResults) -> pd.DataFrame:
    """One row a misclassified image and model: the set of the class given beside that of the label."""
    both = both_classes(results)
    overlaps = compared(results).overlaps
    dice = {
        (*map(str, row[:2]), frozenset(map(str, row[2:4]))): row[4]
        for row in overlaps[[*KEYS, "search_a", "search_b", "dice"]].itertuples(index=False, name=None)
    }
    pairs = zip(both["image"], both["model"], both["search_given"], both["search_label"], strict=True)
    table = both.assign(
        given=[results.class_name(index) for index in both["target"]],
        true=[results.class_name(index) for index in both["label"]],
        dice=[dice.get((image, model, frozenset((one, other))), float("nan")) for image, model, one, other in pairs],
        note=[
            ", ".join(f"{name}: {status}" for name, status in (("given", one), ("label", other)) if status != "found")
            for one, other in zip(both["status_given"], both["status_label"], strict=True)
        ],
    )
    return table[list(BOTH_HEADINGS)].rename(columns=BOTH_HEADINGS)
