"""A statistics frame for the made-up studies: few tests, by SciPy, in the study's columns."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy import stats

ALPHA = 0.01
ENOUGH = 5


def row(test: str, group: str, contrast: str = "", **values: object) -> dict[str, object]:
    blank = dict.fromkeys(
        ["statistic", "df", "p", "p_adj", "p_holm", "effect", "ci_low", "ci_high", "confidence", "alpha"], np.nan
    )
    start = {"test": test, "group": group, "contrast": contrast, **blank, "effect_name": "", "n": 0,
             "dropped": 0, "significant": pd.NA, "status": "ok", "reason": ""}  # fmt: skip
    start |= values
    if not pd.isna(start["p"]):
        p = float(str(start["p"]))
        start |= {"p_adj": p, "p_holm": p, "alpha": ALPHA, "significant": p < ALPHA}
    return start


def skipped(test: str, group: str, reason: str, contrast: str = "") -> dict[str, object]:
    return row(test, group, contrast, status="skipped", reason=reason)


def statistics_of(areas: pd.DataFrame, overlaps: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    found = areas[areas["status"] == "found"]
    architectures = list(summary["architecture"].unique())
    rows = [kruskal(found)]
    if len(architectures) > 1:
        means = found.groupby(["image", "architecture"])["area"].mean().unstack()
        rows.append(friedman("architecture means, all images", means))
    else:
        reason = "1 treatment(s) to compare; at least 3 are needed"
        rows.append(skipped("friedman", "architecture means, all images", reason))
    for name in architectures:
        mine = found[found["architecture"] == name]
        table = mine.pivot(index="image", columns="model", values="area")
        rows.append(friedman(f"{name} models, all images", table))
    rows += overlap_rows(areas, overlaps, summary)
    rows += mixed_rows(found)
    return pd.DataFrame(rows).astype({"significant": "boolean", "df": "float64"})


def kruskal(found: pd.DataFrame) -> dict[str, object]:
    groups = [part["area"].to_numpy() for _, part in found.groupby("architecture")]
    if len(groups) < 2:
        reason = "1 architecture(s) to compare; at least 2 are needed"
        return skipped("kruskal-wallis", "all models, all images", reason)
    h, p = stats.kruskal(*groups)
    n = sum(map(len, groups))
    return row("kruskal-wallis", "all models, all images", statistic=h, df=len(groups) - 1, p=p,
               effect=h / (n - 1), effect_name="epsilon-squared", n=n)  # fmt: skip


def friedman(group: str, table: pd.DataFrame) -> dict[str, object]:
    whole = table.dropna()
    n, k = whole.shape
    if k < 3 or n < ENOUGH:
        return skipped("friedman", group, f"{n} complete block(s); at least {ENOUGH} are needed")
    chi2, p = stats.friedmanchisquare(*whole.to_numpy().T)
    return row("friedman", group, statistic=chi2, df=k - 1, p=p, effect=chi2 / (n * (k - 1)),
               effect_name="kendall's w", n=n, dropped=len(table) - n)  # fmt: skip


def overlap_rows(areas: pd.DataFrame, overlaps: pd.DataFrame, summary: pd.DataFrame) -> list[dict[str, object]]:
    several = summary["architecture"].nunique() > 1
    models = sorted(summary.loc[summary["best"], "model"] if several else summary["model"])
    team = "best models" if several else f"{summary['architecture'].iloc[0]} models"
    right = (
        areas[areas["model"].isin(models)]
        .groupby("image")["correct"]
        .agg(lambda verdicts: bool(verdicts.fillna(False).all()))
    )
    rows = []
    for selection, images in (
        ("labelled, correct by all", right.index[right]),
        ("all images", right.index),
    ):
        for measure, (a, b) in itertools.product(
            ("dice", "hausdorff", "hausdorff_ratio", "hausdorff_grid", "iou", "centroid_distance"),
            itertools.combinations(models, 2),
        ):
            pair = overlaps["model_a"].isin([a, b]) & overlaps["model_b"].isin([a, b])
            values = overlaps.loc[pair & overlaps["image"].isin(images), measure].dropna()
            group, contrast = f"{team}, {selection}", f"{a} & {b}"
            if len(values) < ENOUGH:
                reason = f"{len(values)} image(s) with both MPSs; at least {ENOUGH} are needed"
                rows.append(skipped(f"mean {measure}", group, reason, contrast))
                continue
            reach = 1.96 * values.sem()
            rows.append(row(f"mean {measure}", group, contrast, effect=values.mean(),
                            effect_name=f"mean {measure}", confidence=0.95, ci_low=values.mean() - reach,
                            ci_high=values.mean() + reach, n=len(values)))  # fmt: skip
    return rows


def mixed_rows(found: pd.DataFrame) -> list[dict[str, object]]:
    """Not a mixed model: the difference within models stands in for it, in the same columns."""
    test, group = "mixed model, random model and image", "all models, labelled"
    rows = found.dropna(subset=["correct"])
    wrong = ~rows["correct"].astype(bool)
    if min(wrong.sum(), (~wrong).sum()) < ENOUGH:
        counts = f"{(~wrong).sum()} correct and {wrong.sum()} incorrect"
        reason = f"{counts}; at least {ENOUGH} each are needed"
        return [skipped(test, group, reason, "incorrect - correct")]
    centred = rows["area"] - rows.groupby("model")["area"].transform("mean")
    added = centred[wrong].mean() - centred[~wrong].mean()
    error = centred.std() * (1 / wrong.sum() + 1 / (~wrong).sum()) ** 0.5
    both = []
    for name, unit in (("percentage points", 100), ("relative", 1 / rows["area"][~wrong].mean())):
        both.append(row(test, group, "incorrect - correct", statistic=added / error,
                        p=2 * stats.norm.sf(abs(added / error)), effect=unit * added,
                        effect_name=name, confidence=0.95, ci_low=unit * (added - 1.96 * error),
                        ci_high=unit * (added + 1.96 * error), n=len(rows)))  # fmt: skip
    return both
