"""What sets tell, on studies whose answers are known; what the data do not carry stays as a row with a reason."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from mps_study.measures.trust.cross import alike
from mps_study.measures.trust.frames import Frames
from mps_study.measures.trust.monitor import ADDED, BOTH, FREE, SIZE
from mps_study.measures.trust.questions import QUESTIONS, measure_trust
from mps_study.measures.trust.rows import ALL

IMAGES = [f"i{n:03d}" for n in range(80)]
EMPTY = pd.DataFrame()


def areas_of(model="m", area=None, correct=True, search="study", **columns):
    n = len(IMAGES)
    return pd.DataFrame({
        "image": IMAGES, "model": model, "architecture": model[0], "search": search, "half": "labelled",
        "correct": pd.array([correct] * n if isinstance(correct, bool) else correct, dtype="boolean"),
        "status": "found",
        "area": np.linspace(0.01, 0.4, n) if area is None else area, "confidence": 0.5, "target_confidence": 0.8,
        "evaluations": 100, "share": 0.0, **columns,
    })  # fmt: skip


def study(areas, **frames):
    empty = dict.fromkeys(("more_sets", "overlaps", "search_overlaps", "answers", "probes", "sub_explanations"), EMPTY)
    return Frames(areas, **(empty | {"resamples": 200} | frames))


def probes_of(passes, condition="mean", model="m", asked=None, repetition=0, missing=""):
    n = len(IMAGES)
    return pd.DataFrame({
        "image": IMAGES, "model": model, "architecture": model[0], "search": "study", "half": "labelled", "share": 0.0,
        "asked": asked or model, "condition": condition, "repetition": repetition,
        "passes": pd.array(np.broadcast_to(passes, n), dtype="boolean"), "keeps": pd.array([True] * n, dtype="boolean"),
        "confidence": 0.4, "missing": missing,
    })  # fmt: skip


def only(frame, **wanted):
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    (row,) = frame.to_dict("records")
    return row


def test_a_study_that_carries_nothing_has_a_reason_for_every_question():
    told = measure_trust(study(areas_of(correct=True).iloc[:0]))
    assert set(told["question"]) == set(QUESTIONS)
    assert (told["missing"] != "").all() and told["value"].isna().all()
    one = measure_trust(study(areas_of()))
    assert only(one, question="cross")["missing"] == "one model"
    assert only(one, question="stability")["missing"] == "no two searches differ in their seed alone"


def test_survival_averages_repetitions_of_an_image_before_images():
    half = np.arange(len(IMAGES)) < 20
    frames = study(areas_of(), probes=pd.concat([
        probes_of(half), probes_of(True, "noise", repetition=0), probes_of(half, "noise", repetition=1),
        probes_of(pd.NA, "jpeg", missing="JPEG has 1 or 3 channels"),
    ]))  # fmt: skip
    told = measure_trust(frames)
    measure = "share that keep the class"
    once, twice = (only(told, question="survival", measure=measure, condition=name) for name in ("mean", "noise"))
    assert once["value"] == 0.25 and once["n"] == 80 and 0.16 < once["low"] < 0.25 < once["high"] < 0.36
    assert twice["value"] == pytest.approx((20 + 60 / 2) / 80)
    assert only(told, question="survival", condition="jpeg")["missing"] == "JPEG has 1 or 3 channels"


def test_the_matrix_is_asymmetric_and_alike_models_stand_together():
    names, shares = ["a", "b", "c", "d"], {("a", "c"): 0.9, ("c", "a"): 0.8, ("b", "d"): 0.9, ("d", "b"): 0.7}
    rank = np.arange(len(IMAGES)) / len(IMAGES)
    probes = pd.concat([
        probes_of(rank < shares.get(pair, 0.1), "cross", *pair) for pair in permutations(names, 2)
    ])  # fmt: skip
    told = measure_trust(study(pd.concat([areas_of(name) for name in names]), probes=probes))
    gives = told[told["measure"] == "gives the owner's class"]
    assert only(gives, model="a", other="c")["value"] == 0.9 and only(gives, model="c", other="a")["value"] == 0.8
    assert only(told, measure="convinces every other model", model="a")["value"] == 0.1
    assert only(told, measure="convinces no other model", model="a")["value"] == pytest.approx(0.1)
    order = alike(probes)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset("ac"), frozenset("bd")}


def test_models_with_other_classes_keep_a_row_that_says_so():
    probes = probes_of(pd.NA, "cross", "m", "n", missing="the two models have other classes")
    told = measure_trust(study(pd.concat([areas_of("m"), areas_of("n")]), probes=probes))
    assert only(told, question="cross")["missing"] == "the two models have other classes"


def answers_of(logits, model="m"):
    return pd.DataFrame({"image": IMAGES, "model": model, "logits": list(logits)})


def failing(area, sure):
    """Every fourth answer is wrong; logits of two classes so that `sure` is the softmax probability."""
    wrong = np.arange(len(IMAGES)) % 4 == 0
    logits = np.stack([np.log(sure(wrong) / (1 - sure(wrong))), np.zeros(len(IMAGES))], axis=1)
    frames = study(areas_of(area=area(wrong), correct=list(~wrong)), answers=answers_of(logits))
    told = measure_trust(frames)
    return told[told["question"] == "failures"]


def test_a_size_that_knows_adds_to_a_probability_that_does_not():
    noise = np.random.default_rng(0).uniform(0.55, 0.95, len(IMAGES))
    told = failing(lambda wrong: np.where(wrong, 0.3, 0.1) + np.arange(80) / 1e4, lambda wrong: noise)
    auroc = told[told["measure"] == "AUROC of failures"]
    assert only(auroc, condition=SIZE)["value"] == 1 and only(auroc, condition=BOTH)["value"] > 0.98
    assert abs(only(auroc, condition=FREE)["value"] - 0.5) < 0.2
    added = only(told, measure=ADDED)
    assert added["value"] > 0.3 and added["low"] > 0.2
    assert only(told, measure="evaluations", condition=SIZE)["value"] == 100
    assert only(told, measure="evaluations", condition=FREE)["value"] == 1


def test_a_size_that_knows_nothing_adds_nothing():
    random = np.random.default_rng(1)
    sure = random.uniform(0.55, 0.95, len(IMAGES))
    told = failing(lambda wrong: random.uniform(0.01, 0.4, 80), lambda wrong: np.where(wrong, 0.6, 0.9) * sure / 0.95)
    added = only(told, measure=ADDED)
    assert added["low"] <= 0.02 and added["value"] < 0.05


def test_few_failures_are_said_and_nothing_else():
    told = measure_trust(study(areas_of(correct=True), answers=answers_of(np.ones((80, 2)))))
    assert only(told, question="failures")["missing"] == "0 wrong and 80 right answers; at least 5 of each are needed"


def test_ranks_within_models_do_not_see_differences_between_them():
    small, large = np.linspace(0.01, 0.1, 80), np.linspace(0.3, 0.9, 80)
    frames = study(pd.concat([
        areas_of("a", small, target_confidence=np.linspace(0.9, 0.1, 80)),
        areas_of("b", large, target_confidence=np.linspace(0.99, 0.5, 80)),
    ]))  # fmt: skip
    told = measure_trust(frames)
    row = only(told, question="confidence_and_size", measure="area and confidence of the whole image", model=ALL)
    assert row["value"] == pytest.approx(-1) and row["n"] == 80


def test_more_views_and_accuracy_across_models():
    models = {"a": 3, "b": 2, "c": 1}
    parts = [areas_of(name, correct=list(np.arange(80) < 20 * sets)) for name, sets in models.items()]
    bare = [part.drop(columns="target_confidence").assign(kind="further") for part in parts[:2]]
    more = pd.concat([part.assign(order=number) for part, sets in zip(bare, (3, 2), strict=True)
                      for number in range(1, sets + 1)])  # fmt: skip
    told = measure_trust(study(pd.concat(parts), more_sets=more))
    assert [only(told, measure="sets an image", model=name)["value"] for name in models] == [3, 2, 1]
    assert only(told, measure="rank correlation with accuracy, across models")["value"] == pytest.approx(1)


def test_seeds_that_find_the_same_set_are_stable():
    areas = pd.concat([areas_of(), areas_of(search="again", area=np.linspace(0.01, 0.4, 80) * 2)])
    overlaps = pd.DataFrame({
        "image": IMAGES, "model": "m", "search_a": "study", "search_b": "again", "dice": 0.5, "status": "ok",
    })  # fmt: skip
    told = measure_trust(study(areas, search_overlaps=overlaps, twins=[("study", "again")]))
    assert only(told, question="stability", measure="Dice coefficient")["value"] == 0.5
    assert only(told, question="stability", measure="larger area over smaller")["value"] == pytest.approx(2)


def test_both_classes_of_a_mistake():
    wrong = np.arange(80) < 8
    areas = pd.concat([areas_of(correct=list(~wrong)), areas_of(search="label", area=np.linspace(0.01, 0.4, 80) * 4)])
    overlaps = pd.DataFrame({
        "image": IMAGES, "model": "m", "search_a": "study", "search_b": "label", "dice": np.where(wrong, 0.25, 1),
        "status": "ok",
    })  # fmt: skip
    told = measure_trust(study(areas, search_overlaps=overlaps, of_labels=["label"]))
    row = only(told, question="misclassified", measure="Dice coefficient of both sets")
    assert row["value"] == 0.25 and row["n"] == 8
    ratio = only(told, question="misclassified", measure="area of the label's set over that of the answer's")
    assert ratio["value"] == pytest.approx(4)


def test_parts_by_model_architecture_and_normalisation():
    told = measure_trust(study(areas_of(), sub_explanations=pd.DataFrame({
        "image": IMAGES[:2], "model": "m", "architecture": "m", "search": "study", "curve_area": [0.2, 0.4],
        "count_50": [1, 3], "curve": [np.linspace(1, 0, 11)] * 2, "missing": "",
    }), normalisation={"m": "layer"}))  # fmt: skip
    rows = told[(told["question"] == "sub_explanations") & (told["measure"] == "area under the curve")]
    assert list(rows["value"]) == pytest.approx([0.3] * 3)
    assert only(told, measure="relative confidence", share=0.3)["value"] == pytest.approx(0.7)
    assert list(rows["condition"]) == ["", "architecture", "normalisation"] and rows["other"].iloc[-1] == "layer"


def test_sets_inside_what_people_marked_against_chance():
    agreement = pd.DataFrame({
        "image": IMAGES, "model": "m", "search": "study", "inside": 0.8, "chance_same_shape": 0.5, "covered": 0.1,
        "pointing": [1.0, 0.0] * 40, "responsibility_inside": np.nan, "missing": "",
        "beside": pd.array([False] * 60 + [True] * 20, dtype="boolean"),
    })  # fmt: skip
    told = measure_trust(study(areas_of(), agreement=agreement))
    assert only(told, measure="more inside than by chance")["value"] == pytest.approx(0.3)
    assert only(told, measure="pointing game")["value"] == 0.5
    assert only(told, measure="sets beside the object")["value"] == 0.25
    assert "responsibility inside" not in set(told["measure"])  # no map was kept
    unmarked = measure_trust(study(areas_of(), agreement=agreement.assign(missing="no annotation")))
    assert only(unmarked, question="people")["missing"] == "no annotation"


def test_a_model_of_several_labels_has_no_softmax_to_judge_and_agreement_costs_every_model():
    wrong = np.arange(len(IMAGES)) % 4 == 0
    names = ["a", "b", "c"]
    areas = pd.concat([areas_of(name, correct=list(~wrong)) for name in names])
    answers = pd.concat([answers_of(np.random.default_rng(0).normal(size=(80, 3)), name) for name in names])
    overlaps = pd.DataFrame({"image": IMAGES, "model_a": "a", "model_b": "b", "dice": np.linspace(0, 1, 80)})
    told = measure_trust(study(areas, answers=answers, overlaps=overlaps, several_labels=["c"]))
    failures = told[told["question"] == "failures"]
    assert "no softmax probability" in only(failures, model="c")["missing"]
    assert only(failures, model=ALL, measure="AUROC of failures", condition=FREE)["n"] == 160
    assert only(failures, model="a", measure="evaluations", condition="agreement with other models")["value"] == 300


def test_two_models_and_one_image_are_enough_for_the_matrix():
    probes = pd.concat([probes_of(True, "cross", *pair).iloc[:1] for pair in (("n", "m"), ("m", "n"))])
    told = measure_trust(study(pd.concat([areas_of("m"), areas_of("n")]), probes=probes))
    gives = told[told["measure"] == "gives the owner's class"]
    assert list(zip(gives["model"], gives["other"], gives["n"], strict=True)) == [("m", "n", 1), ("n", "m", 1)]
