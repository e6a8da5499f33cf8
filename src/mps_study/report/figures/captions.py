"""Captions of the figures: what a figure shows, and by which rule its image was chosen."""

from __future__ import annotations

from mps_study.report.facts import selection
from mps_study.report.facts.findings import size_test_line
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.searches import compared
from mps_study.report.facts.wording import count, fixed, percent
from mps_study.report.figures.of_searches.methods import typical_of_all
from mps_study.report.figures.of_trust.intervals import FEW_MODELS


def about_sizes(results: StudyResults) -> str:
    """The caption of the sizes figure."""
    return (
        "MPS area by model, labelled and unlabelled images together. One dot is one image; the "
        "white dot is the median, the bar the middle half. Models with at least 30 MPSs get a "
        f"density as well, and those with more than 250 only that. n is the number of MPSs. "
        f"An arrow at the edge stands for an area far below the others.{tests_of_size(results)}"
    )


def tests_of_size(results: StudyResults) -> str:
    """The tests as a sentence: the matched one and the paper's H."""
    lines = size_test_line(results).splitlines()
    return f" Tests: {'; '.join(lines)}." if lines else ""


def chosen(choice: selection.Choice) -> str:
    """The sentence on how an image came to be shown."""
    by_hand = choice.rule.startswith("by hand")
    return f"Chosen {choice.rule}." if by_hand else f"Chosen by rule: {choice.rule}."


def about_gallery(results: StudyResults) -> str:
    """The caption of the gallery."""
    return chosen(selection.choose(results, "gallery"))


def about_stages(results: StudyResults) -> str:
    """The caption of the stages figure."""
    choice = selection.choose(results, "stages")
    several = len(results.several(choice.image, choice.models[0]))
    also = (
        f" Panel e shows {several} MPSs of the same image, each of which is sufficient alone, numbered as found."
        if several
        else ""
    )
    return (
        f"From picture to MPS for {choice.models[0]}. {chosen(choice)} "
        "Responsibility says how much the answer depends on a pixel; pixels enter the set in its "
        f"order. The surface shows each block's highest value.{also}"
    )


def about_largest_hausdorff(results: StudyResults) -> str:
    """The caption of the pair furthest apart."""
    choice = selection.choose(results, "largest_hausdorff")
    row = selection.overlap_of(results.overlaps, choice.image, *choice.models)
    assert row is not None  # the rule chose it
    return (
        f"{choice.models[0]} and {choice.models[1]} on {choice.image}: Hausdorff distance "
        f"{fixed(row['hausdorff'], 1)} pixels of the source image "
        f"({percent(row['hausdorff_ratio'])} of its diagonal), Dice {fixed(row['dice'], 2)}. "
        f"{chosen(choice)}"
    )


def about_all_wrong(results: StudyResults) -> str:
    """The caption of the image that all get wrong alike."""
    return chosen(selection.choose(results, "all_wrong_alike"))


def about_disagreement(results: StudyResults) -> str:
    """The caption of the disputed image."""
    return chosen(selection.choose(results, "disagreement"))


def about_searches(results: StudyResults) -> str:
    """The caption of the searches."""
    return (
        "Mean area of the sets against evaluations of the model an image, by search and model; lower and further left "
        "is smaller and cheaper. A line joins the searches of one model; upright bars are bootstrap 95% intervals."
    )


def about_anytime(results: StudyResults) -> str:
    """The caption of the curves."""
    model = results.models()[0]
    images = compared(results).anytime.query("model == @model")["image"].nunique()
    return (
        f"Area of the smallest set that {model} had verified after so many evaluations, had the search been ended "
        f"there: mean (line) and middle half (band) of {count(images, 'image')}; the other searches' means in grey. A "
        "search that has finished keeps its last set; until a smaller one is verified the whole image is the set. "
        "Evaluations for the map by which a search ranks pixels come first, its gradients are not counted."
    )


def about_methods(results: StudyResults) -> str:
    """The caption of one image through every search."""
    return f"What each search keeps of one image; each set alone keeps the class. {chosen(typical_of_all(results))}"


def about_both_classes(results: StudyResults) -> str:
    """The caption of the sets of both classes."""
    return (
        "Images that a model gets wrong: the set that is enough for the class that it gives, and the set of the "
        "image's label. Chosen by rule: of each model the image of its surest wrong answer, those with both sets first."
    )


def about_correctness(results: StudyResults) -> str:
    """The caption of correct against incorrect."""
    return (
        "MPS area on labelled images by whether the model was right. One dot is one image; "
        "diamonds are means with bootstrap 95% intervals."
    )


def about_survival(results: StudyResults) -> str:
    """The caption of the conditions."""
    many = len(results.models()) > FEW_MODELS
    of = "means of each architecture's models" if many else "by model, with 95% intervals over images"
    return (
        f"Share of the study's own sets that keep their class under each condition, {of}. Sets were searched over one "
        "baseline; what happens over others is no part of what makes them sets."
    )


def about_cross(results: StudyResults) -> str:
    """The caption of the matrix."""
    return (
        "Share of the owner's sets (rows; the study's own search) that give their class to the asked model (columns), "
        "in %. Models that convince each other stand together (average linkage of the mean of both directions)."
    )


def about_parts(results: StudyResults) -> str:
    """The caption of the curves."""
    return (
        "Mean confidence relative to that of the whole set, as tiles are deleted: a line a model, in the colour of its "
        "architecture. The grey line is that of a set whose tiles all add alike. At the right end nothing is kept."
    )


def about_monitor(results: StudyResults) -> str:
    """The caption of the scores."""
    return (
        "AUROC with which each score of confidence tells wrong answers from right ones, with 95% intervals over "
        "images; of all models together where there are several. The line is chance. Scores of sets cost hundreds of "
        "evaluations, the others one."
    )


def about_confidence_and_size(results: StudyResults) -> str:
    """The caption of the correlations."""
    return (
        "Spearman's rank correlation of a set's area with its own confidence (filled) and with that of the whole image "
        "(open), over images, with 95% intervals; sets of the study's own search. Left of zero, small sets are sure."
    )
