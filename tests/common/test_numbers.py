"""NumPy's numbers are numbers, wherever parameters are taken."""

import numpy as np
import pytest

from mps_study.common.numbers import plain
from mps_study.models.inference.preprocessing import Preprocessing
from mps_study.models.roster.roster import ModelEntry
from mps_study.models.training.recipe import Recipe
from mps_study.project.parameters import Draw, Extraction, Metrics
from mps_study.stats.config import StatisticsConfig

RECIPE = {
    "probe_epochs": 1,
    "epochs": 2,
    "batch_size": 4,
    "learning_rate": 0.5,
    "probe_learning_rate": 0.5,
    "weight_decay": 0.0,
    "warmup": 0.0,
    "label_smoothing": 0.0,
    "holdout": 0.25,
    "patience": 1,
    "seed": 0,
}


def as_numpys(values):
    """The same with NumPy's scalars."""
    return {
        key: np.float32(value) if isinstance(value, float) else np.int64(value) if isinstance(value, int) else value
        for key, value in values.items()
    }


@pytest.mark.parametrize(
    ("group", "values"),
    [
        (StatisticsConfig, {"alpha": 0.25, "confidence": 0.5, "min_n": 3, "resamples": 10, "seed": 4}),
        (Recipe, RECIPE),
        (Extraction, {"batch_size": 4, "workers": 2, "max_failed_share": 0.5}),
        (Metrics, {"resamples": 7, "fine_tuned_accuracy": {"a": np.float32(0.5)}}),
        (Draw, {"source": {"kind": "photos"}, "n": 3}),
        (ModelEntry, {"architecture": "A", "timm": "x", "classes": 5}),
        (Preprocessing, {"input_size": 8, "crop_pct": 0.5, "scale": 1.0, "mean": (0.5, 0.5, 0.5)}),
    ],
)
def test_a_number_of_numpys_is_the_number(group, values):
    given = as_numpys(values)
    if "mean" in values:
        given["mean"] = np.array(values["mean"], np.float32)
    assert group(**given) == group(**values)
    assert not any(isinstance(value, np.generic) for value in vars(group(**given)).values())


@pytest.mark.parametrize("wrong", [np.float64(2.5), np.bool_(True), np.datetime64("2024-01-01"), np.array([1, 2])])
def test_what_is_no_whole_number_is_refused_as_ever(wrong):
    for group, name in ((StatisticsConfig, "min_n"), (Extraction, "batch_size")):
        with pytest.raises((ValueError, TypeError)):
            group(**{name: wrong})
    with pytest.raises((ValueError, TypeError)):
        Recipe(**RECIPE | {"epochs": wrong})


def test_numbers_are_found_at_any_depth():
    assert plain({"a": [np.int64(1), (np.float64(0.5),)], "b": {"c": np.arange(2)}}) == {
        "a": [1, (0.5,)],
        "b": {"c": [0, 1]},
    }
