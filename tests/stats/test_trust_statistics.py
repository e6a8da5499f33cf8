"""Tests of what sets say about models, each beside SciPy or numbers that are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.trust import confidence_mixed, inside_friedman, inside_wilcoxon, parts_friedman

CONFIG = StatisticsConfig(resamples=200)
IMAGES = [f"i{n}" for n in range(30)]
RANDOM = np.random.default_rng(0)


def agreement(inside, chance, model="a", search="study", missing=""):
    return pd.DataFrame({
        "image": IMAGES, "model": model, "search": search, "inside": inside, "chance_same_shape": chance,
        "missing": missing,
    })  # fmt: skip


def test_inside_is_paired_with_the_chance_of_the_same_set_and_all_models_are_a_family():
    inside, chance = RANDOM.uniform(0.4, 1, 30), RANDOM.uniform(0.2, 0.6, 30)
    frame = pd.concat([
        agreement(inside, chance), agreement(chance, inside, "b"), agreement(0, 1, search="other"),
        agreement(np.nan, np.nan, "c", missing="no annotation"),
    ])  # fmt: skip
    rows = inside_wilcoxon(pd.DataFrame(), frame, CONFIG)
    assert list(rows["group"]) == ["sets of a and what people marked", "sets of b and what people marked"]
    assert rows["p"][0] == pytest.approx(stats.wilcoxon((inside - chance).round(12), correction=True).pvalue)
    assert rows["p_adj"][0] == pytest.approx(2 * rows["p"][0]) and rows["effect"][0] == -rows["effect"][1] > 0


def test_models_differ_in_how_much_more_than_by_chance():
    tables = {name: RANDOM.uniform(0, 1, 30) + shift for name, shift in (("a", 0), ("b", 0.5), ("c", 1))}
    frame = pd.concat([agreement(values, 0.0, name) for name, values in tables.items()])
    (row,) = inside_friedman(pd.DataFrame(), frame, CONFIG).to_dict("records")
    assert row["p"] == pytest.approx(stats.friedmanchisquare(*tables.values()).pvalue) and row["n"] == 30
    assert inside_friedman(pd.DataFrame(), frame[frame["model"] != "c"], CONFIG).empty


def test_parts_of_architectures_are_compared_on_the_same_images():
    tables = {name: RANDOM.uniform(0, 1, (2, 30)) for name in "abc"}
    frame = pd.concat([
        pd.DataFrame({"image": IMAGES, "architecture": name, "model": f"{name}{i}", "search": "study", "missing": "",
                      "curve_area": curve})
        for name, two in tables.items() for i, curve in enumerate(two)
    ])  # fmt: skip
    (row,) = parts_friedman(pd.DataFrame(), frame, CONFIG).to_dict("records")
    means = [two.mean(axis=0) for two in tables.values()]
    assert row["p"] == pytest.approx(stats.friedmanchisquare(*means).pvalue)


def sure_areas(noise):
    """Rows of three models and thirty images, whose log area falls by 1.5 a unit of confidence."""
    rows = []
    for model, of_model, of_rows in zip("abc", (0.0, 1.0, -0.5), noise, strict=True):
        of_image = np.random.default_rng(1).normal(0, 0.5, 30)
        sure = np.random.default_rng(ord(model)).uniform(0, 1, 30)
        area = np.exp(-3 + of_model + of_image - 1.5 * sure + of_rows)
        rows.append(pd.DataFrame({
            "image": IMAGES, "model": model, "search": "study", "status": "found", "area": area, "confidence": 0.5,
            "target_confidence": sure,
        }))  # fmt: skip
    return rows


def test_the_slope_of_log_area_is_found_whatever_models_and_images_add():
    rows = sure_areas(np.random.default_rng(9).normal(0, 0.05, (3, 30)))
    found = confidence_mixed(pd.concat(rows), pd.DataFrame(), CONFIG).set_index("contrast")
    image = found.loc["confidence of the image"]
    assert image["ci_low"] < -1.5 < image["ci_high"] and image["effect"] == pytest.approx(-1.5, abs=0.1)
    assert image["n"] == 90 and image["p"] < 1e-6
    assert found.loc["confidence of the set", "reason"] == "all areas or confidences are equal"
    alone = confidence_mixed(rows[0], pd.DataFrame(), CONFIG)
    assert (alone["status"] == "skipped").all() and alone["reason"].str.startswith("1 model(s)").all()


def test_areas_that_are_explained_exactly_have_no_interval():
    """Their likelihood has no maximum; where the search for one ends is a matter of rounding."""
    found = confidence_mixed(pd.concat(sure_areas(np.zeros((3, 30)))), pd.DataFrame(), CONFIG).set_index("contrast")
    image = found.loc["confidence of the image"]
    assert image["status"] == "skipped" and np.isnan(image["p"])
    assert "no residual" in image["reason"] or "singular" in image["reason"]


def test_a_study_without_annotations_or_parts_has_no_rows():
    for test in (inside_wilcoxon, inside_friedman, parts_friedman):
        assert test(pd.DataFrame(), pd.DataFrame(), CONFIG).empty
