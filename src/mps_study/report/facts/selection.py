"""Which models are compared, and which image a figure shows: every rule in one place, in words.

A figure that shows one image out of hundreds is only honest when it says how the image was chosen,
so each rule returns a `Choice` that carries its own sentence. Ties go to the first image by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.facts.wording import count


@dataclass(frozen=True)
class Choice:
    """An image, the models to show it through, and the rule that chose it."""

    image: str
    models: tuple[str, ...]
    rule: str


def compared_models(results: StudyResults) -> list[str]:
    """The best model of each architecture; all models when there is only one architecture."""
    summary = results.model_summary
    if summary["architecture"].nunique() > 1:
        summary = summary[summary["best"].astype("boolean").fillna(False)]
    return [str(model) for model in summary["model"]]


def compared_in_words(results: StudyResults) -> str:
    """'the 5 best models', or 'the 3 models' when there is only one architecture."""
    models = compared_models(results)
    best = "best " if results.model_summary["architecture"].nunique() > 1 else ""
    return f"the {len(models)} {best}models"


def at_least_two_models(results: StudyResults) -> None:
    """Raise `NothingToShow` when there is only one model to compare."""
    if len(compared_models(results)) < 2:
        raise NothingToShow("Only one model is compared, and this figure is about differences.")


def found_areas(results: StudyResults) -> pd.DataFrame:
    """The rows of `areas` with a recorded MPS, the ones that the tests count."""
    areas = results.areas
    return areas[(areas["status"] == "found") & areas["area"].notna()]


def compared_found(results: StudyResults) -> pd.DataFrame:
    """The rows of `found_areas` of the compared models."""
    areas = found_areas(results)
    return areas[areas["model"].isin(compared_models(results))]


def compared_overlaps(results: StudyResults, measure: str) -> pd.DataFrame:
    """The rows of `overlaps` between two compared models for which `measure` is finite.

    A Hausdorff distance is infinite when one set has no pixel in the field that both models saw.
    """
    models = compared_models(results)
    overlaps = results.overlaps
    both = overlaps["model_a"].isin(models) & overlaps["model_b"].isin(models)
    return overlaps[both & np.isfinite(overlaps[measure].astype("float64"))]


def images_all_correct(results: StudyResults) -> list[str]:
    """The labelled images that every compared model classifies correctly, with an MPS, in order of name."""
    areas = compared_found(results)
    right = areas[areas["correct"].astype("boolean").fillna(False)]
    seen_right_by = right.groupby("image")["model"].nunique()
    wanted = len(compared_models(results))
    return [str(image) for image in seen_right_by.index[seen_right_by == wanted]]


def area_varies_most(results: StudyResults) -> Choice:
    """The image with the widest gap between the largest and the smallest area (Figure 1).

    Prefers images that all compared models give the same class: only then do the sets explain the
    same answer.
    """
    at_least_two_models(results)
    by_image = compared_found(results).groupby("image")
    complete = by_image["model"].nunique() == len(compared_models(results))
    same_class = complete & (by_image["target"].nunique() == 1)
    gap = by_image["area"].max() - by_image["area"].min()
    pool, which = (
        (same_class, "to which all models give the same class")
        if same_class.any()
        else (complete, "for which every model has an MPS")
    )
    if not pool.any():
        raise NothingToShow(f"No image has an MPS from each of {compared_in_words(results)}.")
    return Choice(
        image=str(gap[pool].idxmax()),
        models=tuple(compared_models(results)),
        rule=f"of the {count(pool.sum(), 'image')} {which}, the one whose areas lie furthest apart "
        "(largest minus smallest): an extreme case, not a typical one",
    )


def largest_hausdorff(results: StudyResults) -> Choice:
    """The pair of MPSs furthest apart (Figure 4)."""
    at_least_two_models(results)
    overlaps = compared_overlaps(results, "hausdorff")
    overlaps = overlaps.sort_values(["image", "model_a", "model_b"])
    if overlaps.empty:
        raise NothingToShow("No two of the compared models have an MPS on the same image.")
    row = overlaps.iloc[int(overlaps["hausdorff"].to_numpy().argmax())]
    images = overlaps["image"].nunique()
    rule = (
        "the image and pair with the largest Hausdorff distance among the pairs of "
        f"{compared_in_words(results)} on {count(images, 'image')}"
    )
    return Choice(str(row["image"]), (str(row["model_a"]), str(row["model_b"])), rule)


def overlap_of(overlaps: pd.DataFrame, image: str, one: str, other: str) -> pd.Series | None:
    """The row of two models on an image, in either order; None when they were not compared."""
    pair = {one, other}
    rows = overlaps[(overlaps["image"] == image) & overlaps["model_a"].isin(pair) & overlaps["model_b"].isin(pair)]
    return None if rows.empty else rows.iloc[0]


def all_wrong_alike(results: StudyResults) -> Choice:
    """The image to which all compared models give the same wrong class (Figure 5)."""
    at_least_two_models(results)
    areas = compared_found(results)
    wrong = areas[~areas["correct"].astype("boolean").fillna(True)]
    by_image = wrong.groupby("image")
    models = compared_models(results)
    alike = (by_image["model"].nunique() == len(models)) & (by_image["target"].nunique() == 1)
    if not alike.any():
        raise NothingToShow(f"No labelled image is given the same wrong class by all of {compared_in_words(results)}.")
    overlaps = compared_overlaps(results, "dice")
    candidates = alike.index[alike]
    dice = overlaps[overlaps["image"].isin(candidates)].groupby("image")["dice"].mean()
    image = str(dice.idxmin()) if len(dice) else str(candidates[0])
    rule = "the only image to which all of them give the same wrong class"
    if len(candidates) > 1:
        rule = (
            f"of the {len(candidates)} images to which all of them give the same wrong class, "
            "the one whose MPSs overlap least (lowest mean Dice)"
        )
    return Choice(image, tuple(models), rule)


def most_disputed(results: StudyResults) -> Choice:
    """The image with the most different answers, some right and some wrong (Figure 6)."""
    at_least_two_models(results)
    areas = compared_found(results).dropna(subset=["correct"])
    by_image = areas.groupby("image")
    right = by_image["correct"].sum()
    complete = by_image["model"].nunique() == len(compared_models(results))
    disputed = complete & (right > 0) & (right < by_image["model"].nunique())
    if not disputed.any():
        raise NothingToShow(f"On no labelled image are some of {compared_in_words(results)} right and others wrong.")
    answers = by_image["target"].nunique()[disputed]
    rule = (
        f"of the {count(disputed.sum(), 'labelled image')} that some models get right and others "
        "wrong, the first by name with the most different answers"
    )
    return Choice(str(answers.idxmax()), tuple(compared_models(results)), rule)


def typical_with_landscape(results: StudyResults) -> Choice:
    """The MPS nearest its model's median area for which responsibility was stored (Figure 2).

    Images with several MPSs come first, then those with one.
    """
    compared = compared_models(results)
    models = compared + [model for model in results.models() if model not in compared]
    for also in (" and several MPSs", ""):
        for model in models:
            for image in from_the_median(results, model):
                if also and not results.several(image, model):
                    continue
                if results.landscape(image, model) is not None:
                    rule = (
                        f"the image whose area is nearest {model}'s median, among those with a stored "
                        f"responsibility map{also}: a typical case"
                    )
                    return Choice(image, (model,), rule)
    raise NothingToShow("No responsibility map was stored in this run, so its landscape cannot be drawn.")


def from_the_median(results: StudyResults, model: str) -> list[str]:
    """The images with an MPS, from the one whose area is nearest the model's median outwards."""
    areas = found_areas(results)
    areas = areas[areas["model"] == model].sort_values("image", kind="stable")
    distance = (areas["area"] - areas["area"].median()).abs().sort_values(kind="stable")
    return [str(image) for image in areas.loc[distance.index, "image"]]


def choose(results: StudyResults, figure: str) -> Choice:
    """The image of a figure: by its rule, or the one that `reporting.figure_images` names for it.

    Raises:
        NothingToShow: the rule finds no image, or the named one has no MPS to show.
    """
    rule = CHOICES[figure]
    image = results.figure_images.get(figure)
    if image is None:
        return rule(results)
    by_hand = f"by hand (reporting.figure_images.{figure}), not by the figure's rule"
    if rule in (largest_hausdorff, typical_with_landscape):  # which also choose whom to show
        alone = {name: getattr(results, name).loc[lambda t: t["image"] == image] for name in ("areas", "overlaps")}
        return replace(rule(replace(results, **alone)), rule=by_hand)
    at_least_two_models(results)
    return Choice(image, tuple(compared_models(results)), by_hand)


CHOICES: dict[str, Callable[[StudyResults], Choice]] = {
    "gallery": area_varies_most,
    "stages": typical_with_landscape,
    "largest_hausdorff": largest_hausdorff,
    "all_wrong_alike": all_wrong_alike,
    "disagreement": most_disputed,
}
