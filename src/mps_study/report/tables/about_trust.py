"""Captions of the tables about known sets, and about what sets say of models: what a number is, and what it is not."""

from __future__ import annotations

from mps_study.report.facts.results import StudyResults

INTERVALS = "With 95% intervals over images"


def about_survival(results: StudyResults) -> str:
    """The caption of the sets under other conditions."""
    return (
        "Share of a model's sets that still give their class, asked alone under another condition: over another "
        "baseline or photograph, grown (dilation, in pixels), without a twentieth of their tiles, moved by a pixel, "
        f"compressed as JPEG. Conditions that are drawn by chance are averaged over repetitions first. {INTERVALS} "
        "(Wilson's for single answers, else bootstrap). A set that does not survive is not wrong: it is sufficient "
        "over the baseline that it was searched with, and says nothing of others."
    )


def about_stability(results: StudyResults) -> str:
    """The caption of the seeds."""
    return (
        "Searches that differ in their seed alone, on the images on which both found a set: Dice coefficient, and how "
        f"many times larger the larger set is. {INTERVALS}. Alike sets are no proof of right ones."
    )


def about_cross(results: StudyResults) -> str:
    """The caption of the pairs of models."""
    return (
        "Sets of one model, shown to another where they lie in the source image: how often it gives the class that the "
        "set keeps, and how often the class that it gives to the whole image. Floor is the share of the owner's "
        f"confidence that its set keeps. {INTERVALS}. Models share training images, so that agreement is no proof "
        "that a region matters to people."
    )


def about_convinced(results: StudyResults) -> str:
    """The caption of the sets that convince everybody or nobody."""
    return f"Of each model's sets, those that give their class to every other model, and to none. {INTERVALS}."


def about_parts(results: StudyResults) -> str:
    """The caption of the parts of sets."""
    return (
        "How the confidence of a set falls, relative to the whole set's, as its tiles are deleted: the area under the "
        "mean curve (.5 where every tile adds alike, near 0 where all are needed), and how many parts keep half of "
        "it. Small sets: all parts; larger ones: random orders of deletion, and a tree of parts that may have been "
        f"stopped, so that counts are lower bounds. By model, architecture and kind of normalisation. {INTERVALS}. "
        "Counts grow with the number of tiles, so that they compare sets of like size only."
    )


def about_monitor(results: StudyResults) -> str:
    """The caption of the failure monitor."""
    return (
        "Labelled images with a set of the study's own search: how well each score of confidence tells wrong answers "
        "from right ones (AUROC: 1 is perfect, .5 chance; AURC and AUGRC: risk, less is better), and what it costs an "
        "image in evaluations, of all that the search was asked for. MaxLogit's norm and the logistic regressions are "
        "fitted on other images (5 folds). Added: AUROC of both together less that of the probability as it is, which "
        f"needs no fit. {INTERVALS}; of all models together, images are what is resampled. With few wrong answers "
        "nothing can be told apart."
    )


def about_confidence_and_size(results: StudyResults) -> str:
    """The caption of the correlations."""
    return (
        "Spearman's rank correlation over images; of all models together, of ranks within each model, so that "
        f"differences between models count for nothing. {INTERVALS}. Floor is the share of the confidence that the "
        "set keeps: at a high one, the set's confidence follows the image's by construction."
    )


def about_disjoint_sets(results: StudyResults) -> str:
    """The caption of the number of sets."""
    return (
        f"Mean number of sets that were found in an image, up to as many as were asked for. {INTERVALS}. The "
        "correlation is one of as many points as there are models: no interval is given, and none would be narrow."
    )


def about_agreement(results: StudyResults) -> str:
    """The caption of the sets beside what people marked."""
    return (
        "Annotated images with a set: share of its pixels inside the object, and how much more that is than what the "
        "same set has inside on average over all places where it fits in the input; share of the object, as far as "
        "the model sees it, that the set covers; whether the highest responsibility lies inside, and how much of all "
        "of it; sets of which less lies inside than the object's share of the input. "
        f"{INTERVALS}. A box holds more than its object, and what lies beside can be a context that helps."
    )


def about_misclassified(results: StudyResults) -> str:
    """The caption of the mistakes."""
    return (
        "Labelled images that a model gets wrong and that were searched for the label as well: how much the set of "
        "its answer and that of the label share, and how many times larger the label's is (geometric mean). "
        f"{INTERVALS}."
    )
