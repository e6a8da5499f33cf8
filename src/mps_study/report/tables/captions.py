"""Captions of the tables: what a table shows, and by which rule."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from mps_study.common.searches import OWN
from mps_study.report.facts import selection
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.statistics_rows import interval, level
from mps_study.report.facts.wording import count
from mps_study.report.tables.all_tables import DESCRIBED
from mps_study.report.tables.overlap import overlaps_all_correct
from mps_study.report.tables.published import table_of_the_paper


def about_models(results: StudyResults) -> str:
    """The caption of the table of models."""
    best = (
        f"Best of an architecture: {best_rule(results)}. "
        if results.model_summary["architecture"].nunique() > 1
        else ""
    )
    return (
        "Mean MPS area in % of the model's input, by half of the sample and by whether the model "
        "was right, with bootstrap 95% intervals; accuracy is top-1 on the labelled half, with Wilson's 95% "
        f"interval. {best}"
        "The paper's Area is the mean of correct and incorrect weighted by accuracy: the labelled half alone. The "
        "paper's Mean averages its four area columns, so that labelled images count twice. n counts images with an "
        "MPS; that of accuracy, all labelled images that could be read: one without a finite answer is not right."
    )


def best_rule(results: StudyResults) -> str:
    """The recorded rule that chose the best models."""
    summary = results.model_summary
    return str(summary["best_rule"].iloc[0]) if "best_rule" in summary and len(summary) else "not recorded"


def about_accuracy(results: StudyResults) -> str:
    """The caption of the table of accuracies."""
    return (
        "Top-1 accuracy on the labelled half; the accuracy of the fine-tuned form of the model (this study's own where "
        "its weights are fine_tuned, else that of metrics.fine_tuned_accuracy or of the study that fine-tunes); and "
        "that on the images held out while it was fine-tuned. Best by names what decided under the rule: "
        f"{best_rule(results)}."
    )


def about_the_paper(results: StudyResults) -> str:
    """The caption of the paper beside this run."""
    table = table_of_the_paper(results)
    filled = int(table["This run"].notna().sum())
    start = (
        f"{count(filled, 'row')} of {len(table)} have a number of this run"
        if filled
        else "No row applies to this run; each says why"
    )
    tests = level(results.statistics)
    others = "" if tests is None else f", of {100 * tests:g}% for overlaps and tests"
    return (
        f"Every published number, in the paper's units (areas and accuracies as shares). {start}. In interval: the "
        f"published number lies in this run's interval, of 95% for areas and accuracies{others}. Direction: of a test, "
        "its sign; of a number, the side of its column's mean over the rows filled here. Significance: each at its own "
        "alpha. Models other than the paper's 15, of its five architectures, are compared in the direction and "
        "significance of tests only. Hausdorff distances are compared in cells of the 224 x 224 grid, as the paper's "
        "are taken to be, not in source pixels."
    )


def about_trust(results: StudyResults) -> str:
    """The caption of the table of confidences."""
    asked = int(results.model_summary.get("dilation_n", pd.Series(dtype=float)).fillna(0).sum())
    dilation = (
        "Survive dilation: share of the dilated sets, grown by one pixel all round, that keep the class."
        if asked
        else "No set was asked about after a one-pixel dilation in this run."
    )
    return (
        "Mean confidence in the class, of the whole image and of the set alone, over images with an MPS. A small set "
        f"of low confidence lies near the decision boundary. {dilation} Evaluations: all that the model was asked "
        "for an image, for other floors and further sets too."
    )


def about_more_sets(results: StudyResults) -> str:
    """The caption of the table of floors and further sets."""
    if results.more_sets.empty:
        return "No set beside the first was asked for in this run (`search.floors`, `search.several`)."
    missing = results.more_sets.get("missing", pd.Series(dtype="string"))
    spent = int((missing == "the budget was spent").sum())
    left_out = f" Before {count(spent, 'floor')} of an image the budget was spent; not counted." if spent else ""
    return (
        "Means over images with an MPS. A floor asks the set alone for that share of the confidence in the whole "
        "image; sets of two models are best compared at equal floors. Further sets are numbered in the order in which "
        "they were found, number 1 being the first set of the images that have more than one; n counts images."
        f"{left_out}"
    )


def about_pairs(results: StudyResults) -> str:
    """The caption of the table of all pairs."""
    return (
        f"Means with bootstrap {interval(level(results.statistics))}s over images, between the best models of the "
        "architectures and between the models of each architecture, by selection of images. Disjoint sets have Dice "
        "and IoU 0; distances are in pixels of the source image, and Hausdorff's also as share of its diagonal and in "
        "cells of the 224 x 224 grid, over the field that both models saw; a set that lies wholly outside it has no "
        "distance, and an image without both sets is dropped. Wrong by all means whatever the wrong classes are."
    )


def about_selections(results: StudyResults) -> str:
    """The caption of the table of selections."""
    return (
        "Images that each selection holds. On the unlabelled half the compared models vote: an image with a tied vote "
        "is left out, and counted as undecided, like one that a model gave no answer to."
    )


def about_choices(results: StudyResults) -> str:
    """The caption of the table of chosen images."""
    return "The image that each figure shows, and the rule that chose it."


def about_overlap(measure: str, what: str) -> Callable[[StudyResults], str]:
    """The caption of a matrix of means between the compared models."""

    def caption(results: StudyResults) -> str:
        if len(selection.compared_models(results)) < 2:
            return "Only one model is compared."
        whom = selection.compared_in_words(results)
        images = overlaps_all_correct(results, measure)["image"].nunique()
        if not images:
            return f"No labelled image has an MPS and the right class from each of {whom}."
        return (
            f"Mean {what} between {whom}, over the {count(images, 'labelled image')} that all of "
            "them classify correctly and on which they have an MPS."
        )

    return caption


def about_statistics(results: StudyResults) -> str:
    """The caption of the table of tests."""
    tests = results.statistics[~results.statistics["test"].str.startswith(DESCRIBED)]
    skipped = int((tests["status"] != "ok").sum())
    tail = f" {count(skipped, 'row')} skipped, each with its reason." if skipped else ""
    return (
        "Every test and contrast of this run; means of overlaps stand in a table of their own. Bonferroni and Holm "
        "correct within a family of "
        f"contrasts; n counts the observations or blocks used, dropped those left out.{tail}"
    )


def about_searches(results: StudyResults) -> str:
    """The caption of the searches side by side."""
    return (
        f"Every model by every search; {OWN} is the study's own, which all other tables are about. Mean area in % of "
        "the model's input with its bootstrap 95% interval, and mean confidence of the set alone, over images with an "
        "MPS; searches may have found sets on different images, which the next table does not mix. Evaluations are all "
        "that the model was asked. The last columns count images by how the search ended."
    )


def about_both_classes(results: StudyResults) -> str:
    """The caption of the sets of both classes."""
    return (
        "Labelled images that a model gets wrong and that were searched for both classes: the one that it gives, and "
        "the image's label (search.target). Confidence is that of each class from the whole image, and from its set "
        "alone. Surest wrong answers first; the note says how a search ended that did not end with a set."
    )


def about_search_differences(results: StudyResults) -> str:
    """The caption of the paired differences."""
    return (
        f"Area of each search less that of the one that it is compared with, the study's own ({OWN}) or one of "
        "`statistics.against`, in percentage points of the model's input, for the first sets and for those at each "
        "further floor of confidence: the mean over the n images on which both "
        "found a set, with its bootstrap 95% interval; dropped counts the others. The effect and the p-values are of "
        "Wilcoxon's signed-rank test of the same images; Bonferroni and Holm correct for all rows of first sets, and "
        "for all of further floors."
    )


def about_methods(results: StudyResults) -> str:
    """The caption of the methods at each floor."""
    return (
        "Every search at each floor of confidence that it was asked for. Area is the mean in % of the model's input; "
        f"the share is the summed area over that of the study's own search, {OWN}, at the same floor and on the images "
        "on which both have a set. 1-minimal as found: sets that carry a certificate, that no tile of them can go. Of "
        "the first sets alone: how many survive a dilation by one pixel, how many random backgrounds (with a 95% "
        "interval over images, where they were probed), and the mean areas under the insertion and deletion curves "
        "of the ranking. Evaluations and gradients are means over all images, for all floors and "
        "curves together; those for the map by which a search ranks pixels come on top of its own."
    )


def about_failures(results: StudyResults) -> str:
    """The caption of the searches that found nothing."""
    return "Searches that did not end with a recorded MPS, and why."
