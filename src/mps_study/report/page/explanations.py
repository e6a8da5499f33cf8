"""Titles, captions and alternative texts of every table and figure, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mps_study.report.facts.results import StudyResults
from mps_study.report.figures import captions as figures
from mps_study.report.tables import about_trust as trust
from mps_study.report.tables import captions as tables

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


TABLE_TEXTS: dict[str, Explanation] = {
    "models": Explanation("Sizes and accuracy by model", tables.about_models),
    "dice": Explanation("Overlap of the sets", tables.about_overlap("dice", "Dice coefficient (1 = same pixels)")),
    "hausdorff": Explanation(
        "Distance of the sets",
        tables.about_overlap("hausdorff", "Hausdorff distance (pixels of the source image)"),
    ),
    "accuracy": Explanation("Accuracy, as trained and fine-tuned", tables.about_accuracy),
    "paper": Explanation("The paper beside this run", tables.about_the_paper),
    "trust": Explanation("Confidence of the sets", tables.about_trust),
    "more_sets": Explanation("Sets at confidence floors, and further sets", tables.about_more_sets),
    "overlaps": Explanation("Every pair of models", tables.about_pairs),
    "selections": Explanation("Images of each selection", tables.about_selections),
    "choices": Explanation("Images of the figures", tables.about_choices),
    "statistics": Explanation("Hypothesis tests", tables.about_statistics),
    "searches": Explanation("Searches by model", tables.about_searches),
    "search_differences": Explanation("Each search against the study's own", tables.about_search_differences),
    "methods": Explanation("Methods compared", tables.about_methods),
    "both_classes": Explanation("Wrong answers: sets of both classes", tables.about_both_classes),
    "failures": Explanation("Images without an MPS", tables.about_failures),
    "survival": Explanation("Sets under other conditions", trust.about_survival),
    "stability": Explanation("Sets of other seeds", trust.about_stability),
    "cross_sufficiency": Explanation("Sets shown to other models", trust.about_cross),
    "convinced": Explanation("Sets that convince all models, or none", trust.about_convinced),
    "sub_explanations": Explanation("Parts of sets", trust.about_parts),
    "failure_monitor": Explanation("Wrong answers, told by sets and without", trust.about_monitor),
    "confidence_and_size": Explanation("Confidence and size", trust.about_confidence_and_size),
    "disjoint_sets": Explanation("Number of sets and accuracy", trust.about_disjoint_sets),
    "agreement": Explanation("Sets and what people marked", trust.about_agreement),
    "misclassified": Explanation("Sets of both classes of a mistake", trust.about_misclassified),
}

FIGURE_TEXTS: dict[str, Explanation] = {
    "sizes": Explanation(
        "MPS sizes by model", figures.about_sizes,
        "One row a model: dots, or a density, of its MPS areas, with median and middle half.",
    ),
    "gallery": Explanation(
        "One image, several models", figures.about_gallery,
        "The same image once a model, its MPS in colour, and a matrix of their overlaps.",
    ),
    "stages": Explanation(
        "From picture to MPS", figures.about_stages,
        "Four panels: the picture, its responsibility as a heat map and as a surface, the MPS.",
    ),
    "largest_hausdorff": Explanation(
        "The two sets furthest apart", figures.about_largest_hausdorff,
        "The picture and two models' MPSs, which lie in different places.",
    ),
    "all_wrong_alike": Explanation(
        "Wrong in the same way", figures.about_all_wrong,
        "An image that all compared models give the same wrong class, with each one's MPS.",
    ),
    "disagreement": Explanation(
        "Where models disagree", figures.about_disagreement,
        "An image that some compared models get right and others wrong, with each one's MPS.",
    ),
    "correctness": Explanation(
        "Sizes when right and when wrong", figures.about_correctness,
        "Two rows a model: MPS areas of right and of wrong classifications, with means.",
    ),
    "searches": Explanation(
        "What sets cover and what they cost", figures.about_searches,
        "A point a model and search: mean area of its sets over evaluations an image, on logarithmic axes.",
    ),
    "anytime": Explanation(
        "How soon sets become small", figures.about_anytime,
        "A panel a search: area of the smallest set over evaluations, mean and middle half, on logarithmic axes.",
    ),
    "methods": Explanation(
        "One image through every method", figures.about_methods,
        "A picture, and beside it the set that each search of one model found in it.",
    ),
    "both_classes": Explanation(
        "What speaks for the wrong class, and for the right one", figures.about_both_classes,
        "A row a model: a picture that it gets wrong, its set of the class given, and its set of the label.",
    ),
    "survival": Explanation(
        "Sets under other conditions", figures.about_survival,
        "A row a condition, a point a model: the share of its sets that keep their class, with intervals.",
    ),
    "cross_sufficiency": Explanation(
        "Sets shown to other models", figures.about_cross,
        "A matrix: owners of sets in rows, asked models in columns, the share of sets that convince in each cell.",
    ),
    "sub_explanations": Explanation(
        "How confidence falls as tiles are deleted", figures.about_parts,
        "A line a model: mean relative confidence over the share of a set's tiles that are deleted.",
    ),
    "failure_monitor": Explanation(
        "Wrong answers, told by sets and without", figures.about_monitor,
        "A row a score of confidence, with its AUROC of failures and interval.",
    ),
    "confidence_and_size": Explanation(
        "Confidence and size", figures.about_confidence_and_size,
        "A row a model: rank correlations of area with confidence, with intervals.",
    ),
}  # fmt: skip
