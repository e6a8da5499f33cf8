"""Areas and summaries by hand, and against the paper's own tables."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from mps_study.measures.areas import measure_areas
from mps_study.measures.summary import mean_interval, paper_area, paper_mean, share_interval, summarise_models


def records():
    """Two models on three images; one image has no set from the second model."""
    rows = [
        ("a", "m1", "found", 3, 25, 0.5),
        ("b", "m1", "found", 4, 50, 0.6),
        ("c", "m1", "found", 9, 10, 0.7),
        ("a", "m2", "found", 3, 50, 0.5),
        ("b", "m2", "failed", -1, None, np.nan),
        ("c", "m2", "baseline", 9, 10, 0.9),
    ]
    frame = pd.DataFrame(rows, columns=["image", "model", "status", "target", "pixels", "confidence"])
    return frame.assign(fingerprint="f", reason="", target_confidence=0.9, height=10, width=10, calls=5, evaluations=8)


MANIFEST = pd.DataFrame(
    {"image": ["c", "a", "b"], "half": ["unlabelled", "labelled", "labelled"], "label": [pd.NA, 3, 3]}
)


def areas():
    """The areas frame of `records`."""
    return measure_areas(records(), MANIFEST, {"m2": "B", "m1": "A"})


def test_areas_are_ratios_in_the_order_of_roster_and_manifest():
    frame = areas()
    assert frame["model"].tolist() == ["m2"] * 3 + ["m1"] * 3
    assert frame["image"].tolist() == ["c", "a", "b"] * 2
    assert frame["area"].tolist()[:2] == [0.1, 0.5]
    assert np.isnan(frame["area"].iloc[2])
    assert frame["correct"].tolist()[3:] == [pd.NA, True, False]


def test_class_0_is_an_answer_and_another_class_that_is_kept_is_none():
    records_of = records().assign(target=[0, 4, 9] * 2, top=pd.array([pd.NA, 3, pd.NA] * 2, dtype="Int64"))
    frame = measure_areas(records_of, MANIFEST.assign(label=[pd.NA, 0, 3]), {"m2": "B", "m1": "A"})
    facts = frame.set_index(["model", "image"]).loc["m1"]
    assert facts["kept"].to_dict() == {"c": 9, "a": 0, "b": 4}
    assert facts["target"].to_dict() == {"c": 9, "a": 0, "b": 3}  # of b the model says 3, and the set keeps 4
    assert facts["correct"].tolist() == [pd.NA, True, True]


def test_the_summary_counts_what_was_found_and_marks_the_best():
    summary = summarise_models(areas()).set_index("model")
    m1, m2 = summary.loc["m1"], summary.loc["m2"]
    assert (m1["n_labelled"], m1["n_correct"], m1["accuracy"]) == (2, 1, 0.5)
    assert (m1["area_correct"], m1["area_incorrect"], m1["area_labelled"]) == (0.25, 0.5, 0.375)
    assert m1["area_paper_mean"] == pytest.approx((0.375 + 0.25 + 0.5 + 0.1) / 4)
    assert np.isnan(m2["area_unlabelled"])  # the baseline alone gives the class: not a set that was found
    assert m2["n_not_found"] == 2
    assert summary["best"].all()  # one model an architecture


def test_the_best_model_is_the_most_accurate_and_ties_go_by_name():
    frame = areas().assign(architecture="A")
    tied = pd.concat([frame[frame["model"] == "m1"], frame[frame["model"] == "m1"].assign(model="m0")])
    assert summarise_models(tied).set_index("model")["best"].to_dict() == {"m1": False, "m0": True}


def test_accuracy_ties_go_to_the_better_fine_tuned_model_and_the_table_says_so():
    frame = areas().assign(architecture="A")
    m1 = frame[frame["model"] == "m1"]
    tied = pd.concat([m1, m1.assign(model="m0"), m1.assign(model="m2", architecture="B")])
    summary = summarise_models(tied, fine_tuned={"m1": 0.98, "m0": 0.94}).set_index("model")
    assert summary["best"].to_dict() == {"m1": True, "m0": False, "m2": True}
    assert summary["best_by"].to_dict() == {"m1": "fine-tuned accuracy", "m0": "", "m2": "only model"}
    assert "labelled half" in summary.loc["m0", "best_rule"]
    assert summarise_models(tied).set_index("model").loc["m0", "best_by"] == "name"


def test_the_papers_area_and_mean_columns_follow_from_the_others_in_all_its_rows():
    """Area = accuracy * Correct + (1 - accuracy) * Incorrect; Mean = the plain mean of the four, in Table 1."""
    published = pd.read_csv(files("mps_study.report.tables") / "published.csv")
    table = published[published["place"] == "Table 1"].pivot(index="subject", columns="measure", values="value")
    assert len(table) == 15
    for _, row in table.iterrows():
        area = paper_area(row["area_correct"], row["area_incorrect"], row["accuracy"])
        assert area == pytest.approx(row["area_paper_area"], abs=0.001)  # half a unit in the last place of each side
        columns = ("area_paper_area", "area_correct", "area_incorrect", "area_unlabelled")
        assert paper_mean(*row[list(columns)]) == pytest.approx(row["area_paper_mean"], abs=0.001)


def test_a_study_without_errors_has_the_papers_area_and_one_without_a_test_half_has_no_mean():
    assert paper_area(0.2, np.nan, 1.0) == 0.2
    assert paper_area(np.nan, 0.3, 0.0) == 0.3
    assert np.isnan(paper_area(0.2, 0.3, np.nan))
    assert np.isnan(paper_mean(0.2, 0.2, 0.2, np.nan))


def test_the_papers_area_is_the_mean_of_the_labelled_half_when_every_image_has_a_set():
    summary = summarise_models(areas()).set_index("model").loc["m1"]
    assert summary["area_paper_area"] == pytest.approx(summary["area_labelled"])
    assert summary["area_paper_area"] != pytest.approx(summary["area_paper_mean"])


def test_survival_of_dilation_is_counted_among_the_sets_that_were_asked():
    asked = records().assign(dilation_survives=[True, False, None, None, None, True])
    frame = measure_areas(asked, MANIFEST, {"m2": "B", "m1": "A"})
    summary = summarise_models(frame).set_index("model")
    assert summary.loc["m1", ["dilation_survival", "dilation_n"]].tolist() == [0.5, 2]
    assert np.isnan(summary.loc["m2", "dilation_survival"])  # its True belongs to the all-baseline image
    assert areas()["dilation_survives"].isna().all()


def test_an_image_that_could_not_be_read_is_neither_right_nor_wrong():
    unread = records().replace({"target": {9: -1}})
    frame = measure_areas(unread, MANIFEST.assign(label=3), {"m2": "B", "m1": "A"}).set_index(["model", "image"])
    assert pd.isna(frame.loc[("m1", "c"), "target"]) and pd.isna(frame.loc[("m1", "c"), "correct"])


def test_no_answer_is_not_right_and_an_image_that_could_not_be_read_is_not_the_models_fault():
    """Of four labelled images one is right, two have an output that is not finite, one could not be read."""
    rows = [("a", "found", 3, 10), ("b", "invalid", -1, 1), ("c", "invalid", -1, 1), ("d", "failed", -1, 0)]
    frame = pd.DataFrame(rows, columns=["image", "status", "target", "evaluations"])
    frame = frame.assign(model="m", fingerprint="f", reason="", pixels=[25, None, None, None], height=10, width=10)
    frame = frame.assign(confidence=0.5, target_confidence=0.9, calls=5)
    manifest = pd.DataFrame({"image": list("abcd"), "half": "labelled", "label": 3})
    summary = summarise_models(measure_areas(frame, manifest, {"m": "A"})).iloc[0]
    assert (summary["n_labelled"], summary["n_correct"], summary["n_unanswered"]) == (3, 1, 2)
    assert summary["accuracy"] == pytest.approx(1 / 3)
    assert (summary["accuracy_low"], summary["accuracy_high"]) == pytest.approx(share_interval(1, 3))
    assert summary["evaluations"] == (10 + 1 + 1) / 3
    assert summary["n_not_found"] == 3


def test_accuracy_has_wilsons_interval():
    """R: prop.test(15, 25, correct = FALSE)$conf.int is 0.4073945736 0.7659669762 (R 4)."""
    assert share_interval(15, 25) == pytest.approx((0.4073945736, 0.7659669762), abs=1e-9)
    assert np.isnan(share_interval(0, 0)).all()


def test_intervals_of_a_mean_cover_it_and_degenerate_cases_are_defined():
    values = np.random.default_rng(0).gamma(1, 0.1, 80)
    low, high = mean_interval(values, 500, [0])
    assert low < values.mean() < high
    assert all(np.isnan(mean_interval(values[:1], 500, [0])))
    assert mean_interval(np.full(5, 0.2), 500, [0]) == (0.2, 0.2)


def test_intervals_of_equal_values_draw_from_streams_of_their_own():
    area = np.random.default_rng(0).random(30)
    frame = pd.DataFrame({"image": [f"{i}" for i in range(30)], "area": area, "model": "m", "architecture": "A"})
    facts = {"half": "labelled", "correct": True, "status": "found", "target": 1, "evaluations": 1}
    frame = frame.assign(**facts, confidence=0.5, target_confidence=0.5).astype({"correct": "boolean"})
    row = summarise_models(frame, resamples=99).iloc[0]
    assert row["area_labelled"] == row["area_correct"] == pytest.approx(area.mean())
    assert row["area_labelled_low"] != row["area_correct_low"]
