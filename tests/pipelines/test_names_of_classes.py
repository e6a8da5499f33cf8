"""The names that a report gives to classes, of models with names of their own, of the images', and of none."""

from types import SimpleNamespace

import pandas as pd

from mps_study.pipelines.reporting.results import names_of_classes

SAMPLE = pd.DataFrame({"label": [0, 2], "class_name": ["a", "c"]})
NAMELESS = SAMPLE.assign(class_name=[None, None])


def card(classes=3, names="sample", several=False):
    """What a card says of its classes."""
    return SimpleNamespace(
        name="m",
        classes=classes,
        class_names=names,
        several_labels=several,
        names_itself=names not in ("sample", "training"),
    )


def test_an_answer_that_is_none_of_a_models_labels_is_said_in_words():
    labels = card(names=("x", "y", "z"), several=True)
    assert names_of_classes({"m": labels}, SAMPLE) == ["x", "y", "z", "none of its labels"]
    assert names_of_classes({"one": card(names=("x", "y", "z")), "m": labels}, SAMPLE)[3] == "none of its labels"
    assert names_of_classes({"m": card(several=True)}, NAMELESS) == [
        "class 0", "class 1", "class 2", "none of its labels"
    ]  # fmt: skip


def test_a_model_without_names_has_those_of_the_images():
    for names in ("sample", "training"):
        assert names_of_classes({"m": card(names=names)}, SAMPLE) == ["a", "class 1", "c"]
    assert names_of_classes({"m": card()}, NAMELESS) is None
