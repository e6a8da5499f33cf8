"""Whatever the study brings, there is a frame with reasons and never an exception."""

import warnings
from itertools import combinations

import hypothesis.extra.numpy as arrays
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_frames import study, typed_areas

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.mixed import FitError, fit_area
from mps_study.stats.rows import COLUMNS
from mps_study.stats.run import run_statistics

QUICK = StatisticsConfig(resamples=20, min_n=3)
AREAS = st.sampled_from([0.1, 0.1, 0.2, 0.3, 0.7, 1.0, 0.1 + 2**-40, np.nan])


@st.composite
def studies(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """Up to 3 architectures of up to 3 models on up to 8 images, with holes everywhere."""
    sizes = draw(st.lists(st.integers(1, 3), max_size=3))
    models = [(f"a{i}", f"a{i}m{j}") for i, size in enumerate(sizes) for j in range(size)]
    shape = (len(models), draw(st.integers(0, 8)))
    area = draw(arrays.arrays(float, shape, elements=AREAS))
    answer = draw(arrays.arrays(int, shape, elements=st.integers(0, 2)))
    present = draw(arrays.arrays(bool, shape, elements=st.sampled_from([True, True, False])))
    labelled = draw(st.integers(0, shape[1]))
    rows = [
        {
            "image": f"i{i}",
            "model": model,
            "architecture": architecture,
            "search": "study",
            "half": "labelled" if i < labelled else "unlabelled",
            "label": 0 if i < labelled else None,
            "target": answer[m, i],
            "correct": bool(answer[m, i] == 0) if i < labelled else None,
            "status": "found" if area[m, i] == area[m, i] else "not reached",
            "area": area[m, i],
        }
        for m, (architecture, model) in enumerate(models)
        for i in range(shape[1])
        if present[m, i]
    ]
    names = ["image", "model", "architecture", "search", "half", "label"]
    areas = pd.DataFrame(rows, columns=[*names, "target", "correct", "status", "area"])
    pairs = [
        {"image": f"i{i}", "model_a": models[a][1], "model_b": models[b][1], "dice": area[a, i]}
        for a, b in combinations(range(len(models)), 2)
        for i in range(shape[1])
        if present[b, i]
    ]
    overlaps = pd.DataFrame(pairs, columns=["image", "model_a", "model_b", "dice"])
    best = draw(st.lists(st.booleans(), min_size=len(models), max_size=len(models)))
    return {
        "areas": typed_areas(areas),
        "overlaps": overlaps.assign(
            hausdorff=1 / overlaps["dice"].astype(float),
            iou=overlaps["dice"],
            centroid_distance=overlaps["dice"],
            hausdorff_ratio=overlaps["dice"],
            hausdorff_grid=overlaps["dice"],
        ),
        "model_summary": pd.DataFrame({"model": [m for _, m in models], "best": best}),
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(studies())
def test_any_study_gives_documented_rows_and_no_warning(frames: dict[str, pd.DataFrame]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = run_statistics(**frames, config=QUICK)
    assert got.dtypes.astype(str).to_dict() == COLUMNS
    ok, skipped = got[got["status"] == "ok"], got[got["status"] == "skipped"]
    assert len(ok) + len(skipped) == len(got)
    assert (skipped["reason"] != "").all()
    assert ok["effect"].notna().all()
    tested = ok[~ok["test"].str.startswith(("mean", "images"))]
    assert tested["p"].between(0, 1).all()
    assert (tested["p_adj"] >= tested["p_holm"]).all()
    assert (tested["p_holm"] >= tested["p"]).all()
    assert tested["significant"].notna().all()
    bounded = tested[~tested["test"].str.startswith("mixed")]
    assert bounded["effect"].abs().max() <= 1 + 1e-12 or bounded.empty
    assert (got[["n", "dropped"]] >= 0).all(axis=None)


@pytest.mark.parametrize("value", [0.1, 1.0])
def test_constant_areas_are_skipped_with_a_reason(value: float) -> None:
    frames = study(architectures=3, labelled=14, unlabelled=8)
    frames["areas"]["area"] = frames["areas"]["area"].where(frames["areas"]["area"].isna(), value)
    got = run_statistics(**frames, config=QUICK)
    on_areas = got[~got["test"].str.contains("dice|hausdorff|iou|centroid|images")]
    assert (on_areas["status"] == "skipped").all()
    reasons = " ".join(on_areas["reason"].unique())
    for told in ("all values are equal", "every block is tied", "0 difference(s)", "all areas"):
        assert told in reasons


def test_equal_pixels_stay_tied_when_differences_round() -> None:
    frames = study(architectures=1, labelled=12, unlabelled=0)
    # 0.3 - 0.1 and 0.4 - 0.2 are the same number of pixels but not the same float
    levels = {"convnext_0": (0.3, 0.4), "convnext_1": (0.1, 0.2), "convnext_2": (0.1, 0.2)}
    even = frames["areas"]["image"].str[-1].astype(int) % 2 == 0
    low = frames["areas"]["model"].map({k: v[0] for k, v in levels.items()})
    high = frames["areas"]["model"].map({k: v[1] for k, v in levels.items()})
    frames["areas"]["area"] = low.where(even, high)
    frames["areas"]["status"] = "found"
    got = run_statistics(**frames, config=QUICK)
    got = got[got["test"] == "wilcoxon signed-rank"].set_index("contrast")
    # 12 tied differences of one sign: exactly 2 of the 2 ** 12 sign patterns are as extreme
    assert got.loc["convnext_0 - convnext_1", "p"] == pytest.approx(2 / 2**12)
    assert got.loc["convnext_0 - convnext_1", "effect"] == 1
    assert got.loc["convnext_1 - convnext_2", "status"] == "skipped"


def mixed(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    got = run_statistics(**frames, config=StatisticsConfig(resamples=20))
    return got[got["test"].str.startswith("mixed")]


def test_one_class_of_correctness_is_skipped() -> None:
    frames = study(architectures=2, labelled=14, unlabelled=0)
    frames["areas"]["correct"] = frames["areas"]["label"].notna().astype("boolean")
    got = mixed(frames)
    assert (got["status"] == "skipped").all()
    assert got["reason"].str.contains("0 incorrect").all()


def test_one_model_is_skipped() -> None:
    got = mixed(study(architectures=1, models=1, labelled=60, unlabelled=0))
    assert (got["status"] == "skipped").all()
    assert got["reason"].str.startswith("1 model(s)").all()


def test_areas_that_the_model_determines_do_not_crash() -> None:
    frames = study(architectures=2, labelled=20, unlabelled=0)
    level = frames["areas"]["model"].rank(method="dense") / 100
    frames["areas"]["area"] = level.where(frames["areas"]["area"].notna())
    got = mixed(frames)
    assert len(got) >= 2
    assert got["reason"].str.len().gt(0).all()


def test_a_failed_fit_says_so() -> None:
    rows = pd.DataFrame(
        {
            "area": [0.1, 0.2, 0.3, 0.4],
            "incorrect": [1.0, 1.0, 1.0, 1.0],  # the same as the intercept
            "model": ["a", "a", "b", "b"],
        }
    )
    with pytest.raises(FitError, match=r"fit failed|standard error"):
        fit_area(rows, ("model",))
