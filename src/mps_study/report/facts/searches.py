"""What a study's searches found, one beside another, in words and in the order in which a reader meets them."""

from __future__ import annotations

import pandas as pd

from mps_study.common.floors import demanded
from mps_study.common.searches import OWN
from mps_study.report.facts import statistics_rows as rows
from mps_study.report.facts.results import Searches, StudyResults
from mps_study.report.facts.wording import MISSING, count, number

DIFFERENCE = "mean difference of searches"
WILCOXON = "wilcoxon signed-rank"


def references(results: StudyResults) -> list[str]:
    """The searches with which others are compared: the study's own, and those of `statistics.against`."""
    contrasts = set(results.statistics.loc[results.statistics["test"] == DIFFERENCE, "contrast"])
    others = compared(results).others
    return [OWN, *(each for each in others if any(f"{other} - {each}" in contrasts for other in others))]


def differences(
    results: StudyResults, test: str = DIFFERENCE, against: str = OWN, share: float | None = None
) -> pd.DataFrame:
    """The rows of a test of each further search against the study's own or another one, with `model` and `search`,
    model by model: of the first sets, or of those at a further floor of confidence."""
    others = [search for search in compared(results).others if search != against]
    floor = "" if share is None else f", {demanded(share)}"
    found = [
        rows.rows_of(results.statistics, test, f"searches of {model}{floor}")
        .set_index("contrast")
        .reindex([f"{search} - {against}" for search in others])
        .assign(model=model, search=others, against=against)
        for model in results.models()
    ]
    frame = pd.concat(found, ignore_index=True)
    return frame[frame["status"].notna()].reset_index(drop=True)


def further_floors(results: StudyResults) -> list[float]:
    """The shares of the original confidence at which searches are compared, beside that of the first sets."""
    groups = results.statistics.loc[results.statistics["test"] == DIFFERENCE, "group"].unique()
    shares = sorted(compared(results).more_sets["share"].dropna().unique())
    return [share for share in shares if any(group.endswith(f", {demanded(share)}") for group in groups)]


def sentence(results: StudyResults) -> str:
    """What each further search changes: how much of the input its sets cover, and at which price."""
    return " ".join(_about(results, search) for search in compared(results).others)


def _about(results: StudyResults, search: str) -> str:
    means, tests = (each[each["search"] == search] for each in (differences(results), differences(results, WILCOXON)))
    means = means[means["status"] == "ok"]
    if means.empty:
        return f"{search} was not compared: no model has enough images with its sets and with those of {OWN}."
    points = 100 * float(means["effect"].mean())
    significant = int(tests["significant"].fillna(False).astype(bool).sum())
    return (
        f"The sets of {search} cover {number(abs(points), 2)} percentage points {'less' if points < 0 else 'more'} of "
        f"the input than those of the study's own search, on average over {count(len(means), 'model')} (a significant "
        f"difference for {significant} of them), for {price(results, search)} times its evaluations."
    )


def price(results: StudyResults, search: str) -> str:
    """Evaluations of a search as a multiple of those of the study's own, over the models that have both."""
    wide = compared(results).summary.pivot(index="model", columns="search", values="evaluations")
    both = wide.reindex(columns=[search, OWN]).dropna()
    return number(both[search].sum() / both[OWN].sum(), 2) if len(both) else MISSING


def compared(results: StudyResults) -> Searches:
    """The searches of a study that has more than one."""
    assert results.searches is not None
    return results.searches
