"""Titles, captions and alternative texts: what a table or figure shows, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mps_study.report import selection
from mps_study.report.results import StudyResults
from mps_study.report.tables import overlaps_all_correct
from mps_study.report.wording import count, fixed, percent

HOW_AN_MPS_IS_DRAWN = (
    "On photos, the pixels of the minimal sufficient pixel set (MPS) are in colour inside a white "
    "line, and everything else is dimmed. A ring marks a set of very few pixels. The bar below has "
    "the colour of the model's architecture. ✓ and ✗ say whether the class is the label; conf. is "
    "the model's confidence in its class when it sees the set alone."
)


@dataclass(frozen=True)
class Explanation:
    """What stands beside a table or figure."""

    title: str
    caption: Callable[[StudyResults], str]
    alt: str = ""


def about_models(results: StudyResults) -> str:
    """The caption of the table of models."""
    best = (
        "Best is the most accurate model of its architecture on the labelled half. "
        if results.model_summary["architecture"].nunique() > 1
        else ""
    )
    return (
        "Mean MPS area in % of the model's input, by half of the sample and by whether the model "
        "was right, with bootstrap 95% intervals; accuracy is top-1 on the labelled half. "
        f"{best}"
        "The mean of four averages the other area columns, as the paper does."
    )


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


def about_sizes(results: StudyResults) -> str:
    """The caption of the sizes figure."""
    return (
        "MPS area by model, labelled and unlabelled images together. One dot is one image; the "
        "white dot is the median, the bar the middle half. Models with at least 30 MPSs get a "
        "density as well, and those with more than 250 only that. n is the number of MPSs."
    )


def about_gallery(results: StudyResults) -> str:
    """The caption of the gallery."""
    return f"Chosen by rule: {selection.area_varies_most(results).rule}."


def about_stages(results: StudyResults) -> str:
    """The caption of the stages figure."""
    choice = selection.typical_with_landscape(results)
    return (
        f"From picture to MPS for {choice.models[0]}. Chosen by rule: {choice.rule}. "
        "Responsibility says how much the answer depends on a pixel; pixels enter the set in its "
        "order. The surface shows each block's highest value."
    )


def about_largest_hausdorff(results: StudyResults) -> str:
    """The caption of the pair furthest apart."""
    choice, row = selection.largest_hausdorff(results)
    return (
        f"{choice.models[0]} and {choice.models[1]} on {choice.image}: Hausdorff distance "
        f"{fixed(row['hausdorff'], 1)} pixels of the common grid "
        f"({percent(row['hausdorff_ratio'])} of its diagonal), Dice {fixed(row['dice'], 2)}. "
        f"Chosen by rule: {choice.rule}."
    )


def about_all_wrong(results: StudyResults) -> str:
    """The caption of the image that all get wrong alike."""
    return f"Chosen by rule: {selection.all_wrong_alike(results).rule}."


def about_disagreement(results: StudyResults) -> str:
    """The caption of the disputed image."""
    return f"Chosen by rule: {selection.most_disputed(results).rule}."


def about_correctness(results: StudyResults) -> str:
    """The caption of correct against incorrect."""
    return (
        "MPS area on labelled images by whether the model was right. One dot is one image; "
        "diamonds are means with bootstrap 95% intervals."
    )


def about_statistics(results: StudyResults) -> str:
    """The caption of the table of tests."""
    skipped = int((results.statistics["status"] != "ok").sum())
    tail = f" {count(skipped, 'row')} skipped, each with its reason." if skipped else ""
    return (
        "Every test and contrast of this run. Bonferroni and Holm correct within a family of "
        f"contrasts; n counts the observations or blocks used, dropped those left out.{tail}"
    )


def about_failures(results: StudyResults) -> str:
    """The caption of the searches that found nothing."""
    return "Searches that did not end with a recorded MPS, and why."


TABLE_TEXTS: dict[str, Explanation] = {
    "models": Explanation("Sizes and accuracy by model", about_models),
    "dice": Explanation("Overlap of the sets", about_overlap("dice", "Dice coefficient (1 = same pixels)")),
    "hausdorff": Explanation(
        "Distance of the sets",
        about_overlap("hausdorff", "Hausdorff distance (pixels of the common grid)"),
    ),
    "statistics": Explanation("Hypothesis tests", about_statistics),
    "failures": Explanation("Images without an MPS", about_failures),
}

FIGURE_TEXTS: dict[str, Explanation] = {
    "sizes": Explanation(
        "MPS sizes by model", about_sizes,
        "One row a model: dots, or a density, of its MPS areas, with median and middle half.",
    ),
    "gallery": Explanation(
        "One image, several models", about_gallery,
        "The same image once a model, its MPS in colour, and a matrix of their overlaps.",
    ),
    "stages": Explanation(
        "From picture to MPS", about_stages,
        "Four panels: the picture, its responsibility as a heat map and as a surface, the MPS.",
    ),
    "largest_hausdorff": Explanation(
        "The two sets furthest apart", about_largest_hausdorff,
        "The picture and two models' MPSs, which lie in different places.",
    ),
    "all_wrong_alike": Explanation(
        "Wrong in the same way", about_all_wrong,
        "An image that all compared models give the same wrong class, with each one's MPS.",
    ),
    "disagreement": Explanation(
        "Where models disagree", about_disagreement,
        "An image that some compared models get right and others wrong, with each one's MPS.",
    ),
    "correctness": Explanation(
        "Sizes when right and when wrong", about_correctness,
        "Two rows a model: MPS areas of right and of wrong classifications, with means.",
    ),
}  # fmt: skip
