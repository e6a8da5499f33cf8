"""Which images a comparison looks at, by what the compared models answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Answers:
    """What the compared models said about every image; all three share one index of images.

    half: `labelled` or `unlabelled`. target: image x model, the class index each model gave.
    correct: image x model, 1.0 right, 0.0 wrong. NaN: the model has no answer, or the image no
    label.
    """

    half: "pd.Series[str]"
    target: pd.DataFrame
    correct: pd.DataFrame


def answers(areas: pd.DataFrame, models: Sequence[str]) -> Answers:
    """The answers of `models` on every image of `areas`, whether or not an MPS was found."""
    half = areas.drop_duplicates("image").set_index("image")["half"].sort_index()
    return Answers(half, image_by_model(areas, "target", models), image_by_model(areas, "correct", models))


def image_by_model(areas: pd.DataFrame, column: str, models: Sequence[str]) -> pd.DataFrame:
    """One column of `areas` as float64, image x model, sorted by image; NaN where absent."""
    tall = areas[["image", "model"]].assign(value=areas[column].astype("Float64"))
    wide = tall.pivot(index="image", columns="model", values="value").reindex(columns=list(models))
    return wide.sort_index().astype("Float64").astype("float64")


def select(given: Answers, selection: str) -> "pd.Series[bool]":
    """Per image: True in the selection, False outside, NA undecided (see SELECTIONS)."""
    return SELECTIONS[selection](given).astype("boolean")


def _all_images(a: Answers) -> "pd.Series[bool]":
    return a.half.notna()


def _labelled(a: Answers) -> "pd.Series[bool]":
    return (a.half == "labelled").astype("boolean")


def _unlabelled(a: Answers) -> "pd.Series[bool]":
    return (a.half == "unlabelled").astype("boolean")


def _correct_by_all(a: Answers) -> "pd.Series[bool]":
    return _labelled(a) & _where_known((a.correct == 1).all(axis=1), a.correct)


def _wrong_by_one(a: Answers) -> "pd.Series[bool]":
    return _labelled(a) & _where_known((a.correct == 0).any(axis=1), a.correct)


def _wrong_by_all(a: Answers) -> "pd.Series[bool]":
    return _labelled(a) & _where_known((a.correct == 0).all(axis=1), a.correct)


def _same_wrong_by_all(a: Answers) -> "pd.Series[bool]":
    return _wrong_by_all(a) & _where_known(_unanimous(a), a.target)


def _agreed_by_all(a: Answers) -> "pd.Series[bool]":
    return _unlabelled(a) & _where_known(_unanimous(a), a.target)


def _outvoted(a: Answers) -> "pd.Series[bool]":
    return _unlabelled(a) & _where_known(~_unanimous(a), a.target).mask(tied_votes(a))


def tied_votes(a: Answers) -> "pd.Series[bool]":
    """Per unlabelled image that every model answered: whether two answers share the most votes."""
    target = a.target.to_numpy()
    votes = (target[:, :, None] == target[:, None, :]).sum(axis=2)  # image x model: models that say the same as this
    most = votes.max(axis=1, initial=1)
    tied = (votes == most[:, None]).sum(axis=1) > most
    voted = (a.half == "unlabelled") & a.target.notna().all(axis=1)
    return voted & pd.Series(tied, index=voted.index)


def _unanimous(a: Answers) -> "pd.Series[bool]":
    least, most = a.target.min(axis=1), a.target.max(axis=1)
    return least.eq(most)


def _where_known(chosen: "pd.Series[bool]", table: pd.DataFrame) -> "pd.Series[bool]":
    return chosen.astype("boolean").mask(table.isna().any(axis=1))


SELECTIONS: dict[str, Callable[[Answers], "pd.Series[bool]"]] = {
    "all images": _all_images,
    "labelled": _labelled,
    "labelled, correct by all": _correct_by_all,
    "labelled, wrong by at least one": _wrong_by_one,
    "labelled, wrong by all": _wrong_by_all,
    "labelled, same wrong answer by all": _same_wrong_by_all,
    "unlabelled": _unlabelled,
    "unlabelled, same answer by all": _agreed_by_all,
    "unlabelled, outvoted at least one": _outvoted,
}
"""Name to rule; a rule answers NA, undecided, when a compared model gave no answer.

The paper's intersection of incorrect is read twice: `wrong by all`, whatever they answered, and
`same wrong answer by all`. On the unlabelled half a majority vote of the compared models stands
in for the label (paper, Protocol): `same answer by all` is then its `correct by all`, `outvoted
at least one` its `wrong by at least one`, where a tied vote leaves the image undecided. Being
wrong by all cannot happen there.
"""
