"""The paper beside this run: every published number, this run's value, and whether the two agree.

The published numbers stand in `published.csv`, one a row, with their place in the paper. A row is filled only where
this run has something of the same kind:

- a model's number (Tables 1 and 4), when the run has a model with the same timm weights, trained alike;
- a pair's overlap (Tables 2 and 3), when the best models of both architectures are among the paper's 15; distances
  as the paper's are, on the 224 x 224 grid, and not in the source image's pixels as in this report's Table 3;
- a test, when the run has the architectures that it compares. Other models of these architectures share only the
  question: then direction and significance are compared, and the sizes of the numbers are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from mps_study.report.facts import statistics_rows as rows
from mps_study.report.facts.results import Origin, StudyResults
from mps_study.report.facts.statistics_rows import StatRow

COLUMNS = [
    "Where", "Quantity", "Of", "Paper", "This run", "This run, low", "This run, high", "n", "In interval",
    "Direction agrees", "Significance agrees", "Note",
]  # fmt: skip
MIXED = "mixed model, random model"
FEWEST = 3  # values of one column, below which their mean tells no side from the other


@dataclass(frozen=True)
class Found:
    """What this run has for a published number.

    sign: of the effect, for a test that has one. significant: the run's verdict. alike: whether the numbers themselves
    can be compared, and not only what they say.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    n: int | None = None
    sign: float | None = None
    significant: bool | None = None
    alike: bool = True
    note: str = ""


def published() -> pd.DataFrame:
    """The published numbers: place, measure, quantity, subject, value (NaN: only p), printed, unit, p, ..."""
    text = ["printed", "unit", "p", "architectures", "timm", "match", "note"]
    with (files("mps_study.report.tables") / "published.csv").open() as file:
        frame = pd.read_csv(file, dtype=dict.fromkeys(text, str))
    return frame.fillna(dict.fromkeys(text, ""))


def table_of_the_paper(results: StudyResults) -> pd.DataFrame:
    """Every published number beside this run's; rows where it has none come last, and their note says why.

    Direction: for a test its sign; for a number, whether it lies on the same side of its column's mean, both means over
    the rows that this run fills (three at least). Significance: of tests, each at its own alpha.
    """
    numbers = published()
    found = [MEASURES[str(row["measure"])](results, row) for _, row in numbers.iterrows()]
    run = pd.Series([one.value if isinstance(one, Found) and one.alike else np.nan for one in found])
    sides = _same_side(numbers, run)
    table = [_line(row, one, side) for (_, row), one, side in zip(numbers.iterrows(), found, sides, strict=True)]
    frame = pd.DataFrame(table, columns=COLUMNS).astype({"n": "Int64"})
    return frame.sort_values("This run", key=pd.isna, kind="stable", ignore_index=True)


def _line(row: StatRow, found: Found | str, same_side: str) -> list[object]:
    where = [row["place"], row["quantity"], row["subject"], row["printed"]]
    if isinstance(found, str):
        return [*where, np.nan, np.nan, np.nan, pd.NA, "", "", "", found]
    inside = found.alike and not np.isnan(found.low) and not np.isnan(row["value"])
    direction = same_side if found.sign is None else _yes(np.sign(row["value"]) == found.sign)
    tested = found.significant is not None and row["p"] != ""
    notes = [
        found.note,
        f"weights matched with {row['match']} confidence" if row["match"] else "",
        str(row["note"]),
    ]
    return [
        *where, found.value, found.low, found.high, pd.NA if found.n is None else found.n,
        _yes(found.low <= row["value"] <= found.high) if inside else "",
        direction,
        _yes(found.significant == row["p"].startswith("<")) if tested else "",
        "; ".join(note for note in notes if note),
    ]  # fmt: skip


def _yes(agrees: object) -> str:
    return "yes" if agrees else "no"


def _same_side(numbers: pd.DataFrame, run: pd.Series[float]) -> list[str]:
    """Per row 'yes', 'no', or nothing where its column has too few filled rows."""
    sides = pd.Series("", index=numbers.index)
    for _, column in numbers[run.notna()].groupby(["place", "measure"]):
        if len(column) >= FEWEST and column["value"].notna().all():
            paper, ours = column["value"], run[column.index]
            same = np.sign(paper - paper.mean()) == np.sign(ours - ours.mean())
            sides[column.index] = same.map({True: "yes", False: "no"})
    return [str(side) for side in sides]


def as_published(results: StudyResults, model: str) -> tuple[str, str]:
    """(timm name with tag, `pre-trained` | `fine-tuned`) of one of the paper's models; empty strings for any other."""
    origin = results.origins.get(model, Origin())
    if origin.timm not in _timm_names() or origin.weights.startswith("random"):
        return "", ""
    return origin.timm, "fine-tuned" if origin.weights.startswith("fine_tuned") else "pre-trained"


@cache
def _timm_names() -> frozenset[str]:
    return frozenset(published()["timm"]) - {""}


def same_model(results: StudyResults, timm: str, trained: str) -> str | None:
    """This run's model with these weights, `pre-trained` or `fine-tuned`; None when it has none."""
    return next((model for model in results.models() if as_published(results, model) == (timm, trained)), None)


def _of_a_model(results: StudyResults, row: StatRow) -> Found | str:
    """Tables 1 and 4 from `model_summary`."""
    measure = str(row["measure"])
    model = same_model(results, str(row["timm"]), "pre-trained")
    if model is None and measure == "fine_tuned_accuracy":
        model = same_model(results, str(row["timm"]), "fine-tuned")
    if model is None:
        return "not in this run"
    summary = results.model_summary[results.model_summary["model"] == model].iloc[0]
    value = float(summary[measure]) if measure in summary else np.nan
    if np.isnan(value):
        return "no such image or number in this run"
    whose = "area_labelled" if measure == "area_paper_area" else measure  # the same mean when every image has a set
    low, high, n = (summary.get(f"{whose}_{end}", np.nan) for end in ("low", "high", "n"))
    count = summary["n_labelled"] if measure == "accuracy" else n
    note = "" if model == row["subject"] else f"here {model}"
    return Found(value, float(low), float(high), None if pd.isna(count) else int(count), note=note)


def _of_a_pair(results: StudyResults, row: StatRow) -> Found | str:
    """Tables 2 and 3: the best models of two architectures, on the images that all best models get right."""
    models = [_best_of(results, name) for name in str(row["architectures"]).split(" & ")]
    if None in models:
        return "not in this run"
    if any(as_published(results, str(model))[1] != "pre-trained" for model in models):
        return "other models: overlaps of pairs cannot be compared"
    means = rows.mean_overlaps(results, str(row["measure"]), rows.CORRECT_BY_ALL)
    mean = means[means["contrast"].isin([" & ".join(sorted(map(str, models)))])]
    if mean.empty:
        return "too few images that all best models get right"
    one = mean.iloc[0]
    return Found(one["effect"], one["ci_low"], one["ci_high"], int(one["n"]), note=f"here {one['contrast']}")


def _best_of(results: StudyResults, architecture: str) -> str | None:
    summary = results.model_summary
    mine = summary["architecture"].str.lower() == architecture.lower()
    best = summary[mine & summary["best"].astype("boolean").fillna(False)]
    return None if best.empty else str(best["model"].iloc[0])


def _of_a_test(
    results: StudyResults, row: StatRow, find: Callable[[str], StatRow | None], value: Callable[[StatRow], Found]
) -> Found | str:
    """A test's row, when the run has the architectures that it compares."""
    named = {name.lower(): name for name in results.architectures()}
    wanted = str(row["architectures"]).split(" & ")
    if absent := [name for name in wanted if name.lower() not in named]:
        return f"not in this run: {', '.join(absent)}"
    test = find(named[wanted[0].lower()])
    if test is None or not rows.is_computed(test):
        return f"not tested: {rows.why_not(test)}"
    found = value(test)
    ours = [m for m in results.models() if results.architecture_of(m).lower() in map(str.lower, wanted)]
    trained = "fine-tuned" if "caltech" in row["measure"] else "pre-trained"
    if all(as_published(results, model)[1] == trained for model in ours):
        return found
    note = "other models of the same architectures: only direction and significance compare"
    return Found(
        found.value, found.low, found.high, found.n, found.sign, found.significant, alike=False,
        note="; ".join(part for part in (note, found.note) if part),
    )  # fmt: skip


def _kruskal(results: StudyResults, row: StatRow) -> Found | str:
    return _of_a_test(
        results, row, lambda _: rows.kruskal_wallis(results),
        lambda test: Found(test["statistic"], n=int(test["n"]), significant=rows.is_significant(test),
                           note="all models, all images; the paper does not say which rows it pools"),
    )  # fmt: skip


def _friedman(results: StudyResults, row: StatRow) -> Found | str:
    return _of_a_test(
        results, row, lambda name: rows.sizes_within_architecture(results, name),
        lambda test: Found(test["p"], n=int(test["n"]), significant=rows.is_significant(test)),
    )  # fmt: skip


def _incorrect(results: StudyResults, row: StatRow) -> Found | str:
    """What incorrect adds; the published numbers on Caltech-256 belong to a run of the paper's models, fine-tuned."""
    measure = str(row["measure"])
    fine_tuned = {as_published(results, model)[1] for model in results.models()} == {"fine-tuned"}
    if "caltech" in measure and not fine_tuned:
        return "belongs to a run of the paper's models, fine-tuned on Caltech-256"
    if "caltech" not in measure and fine_tuned:
        return "belongs to a run of models that are not fine-tuned"
    value = _error if "error" in measure else _added
    return _of_a_test(results, row, lambda _: rows.correctness(results, test=MIXED), value)


def _added(test: StatRow) -> Found:
    return Found(
        test["effect"], test["ci_low"], test["ci_high"], int(test["n"]), float(np.sign(test["effect"])),
        rows.is_significant(test), note="random intercept for the model",
    )  # fmt: skip


def _error(test: StatRow) -> Found:
    return Found(float(test["effect"] / test["statistic"]), n=int(test["n"]))


MEASURES: dict[str, Callable[[StudyResults, StatRow], Found | str]] = {
    "area_paper_area": _of_a_model,
    "area_correct": _of_a_model,
    "area_incorrect": _of_a_model,
    "area_unlabelled": _of_a_model,
    "area_paper_mean": _of_a_model,
    "accuracy": _of_a_model,
    "fine_tuned_accuracy": _of_a_model,
    "dice": _of_a_pair,
    "hausdorff_grid": _of_a_pair,
    "kruskal-wallis": _kruskal,
    "friedman": _friedman,
    "incorrect": _incorrect,
    "incorrect_error": _incorrect,
    "incorrect_caltech": _incorrect,
    "incorrect_caltech_error": _incorrect,
}
