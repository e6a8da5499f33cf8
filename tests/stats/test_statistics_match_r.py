"""R is the outside judge: reference.csv holds what R 4.2.2 and lme4 1.1-31 answer for areas.csv.

Made by `Rscript make_reference.R` in tests/stats/reference; R is not needed to run the tests.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_frames import overlaps_of, summary_of, typed_areas

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import run_statistics

HERE = Path(__file__).parent / "reference"
KEY = ["test", "group", "contrast", "effect_name"]
EXACT = ["statistic", "df", "p", "p_adj", "p_holm", "effect", "n"]


def reference_areas() -> pd.DataFrame:
    return typed_areas(pd.read_csv(HERE / "areas.csv").assign(label=None, search="study"))


def run(areas: pd.DataFrame) -> pd.DataFrame:
    overlaps = overlaps_of(areas, np.random.default_rng(0))
    return run_statistics(areas, overlaps, summary_of(areas, best_suffix="_0"), StatisticsConfig(resamples=50))


@pytest.fixture(scope="module")
def ours() -> pd.DataFrame:
    return run(reference_areas()).set_index(KEY)


@pytest.fixture(scope="module")
def theirs() -> pd.DataFrame:
    table = pd.read_csv(HERE / "reference.csv").fillna({"contrast": ""})
    return table.set_index(KEY)


@pytest.mark.parametrize("test", ["kruskal-wallis", "dunn", "friedman", "wilcoxon signed-rank"])
def test_rank_tests_agree_with_r_to_twelve_digits(test: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    expected = theirs.loc[[test], EXACT]
    got = ours.loc[expected.index, EXACT].astype("float64")
    pd.testing.assert_frame_equal(got, expected, check_dtype=False, rtol=1e-12, atol=0)


def test_every_computed_rank_test_has_a_row_in_the_reference(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    names = ["kruskal-wallis", "dunn", "friedman", "wilcoxon signed-rank"]
    computed = ours.loc[names].query("status == 'ok'").index
    expected = theirs.loc[names].index
    # R was not asked about images on which all of the best models are right or wrong alike
    extra = set(computed.get_level_values("group")) - set(expected.get_level_values("group"))
    assert extra == {"best models, unlabelled, same answer by all"}
    assert set(expected) <= set(computed)


def test_mixed_models_agree_with_lme4(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    expected = theirs[theirs.index.get_level_values("group") == "all models, labelled"]
    expected = expected.loc[expected.index.get_level_values("test").str.startswith("mixed")]
    columns = ["statistic", "effect", "ci_low", "ci_high", "n"]
    got = ours.loc[expected.index, columns].astype("float64")
    assert len(got) == 4
    pd.testing.assert_frame_equal(got, expected[columns], check_dtype=False, rtol=1e-7)
    assert (ours.loc[expected.index, "reason"] == "").all()


def test_singular_mixed_models_agree_with_lme4_and_say_so(theirs: pd.DataFrame) -> None:
    areas = reference_areas()
    used = (areas["half"] == "labelled") & areas["area"].notna()
    by_model = areas[used].groupby("model")["area"].transform("mean")
    areas.loc[used, "area"] += areas.loc[used, "area"].mean() - by_model
    got = run(areas)
    got = got[got["test"].str.startswith("mixed")].assign(group="singular").set_index(KEY)
    expected = theirs[theirs.index.get_level_values("group") == "singular"]
    columns = ["statistic", "effect", "ci_low", "ci_high", "n"]
    pd.testing.assert_frame_equal(
        got.loc[expected.index, columns].astype("float64"),
        expected[columns],
        check_dtype=False,
        rtol=1e-5,
    )
    assert (got["status"] == "ok").all()
    assert got["reason"].str.startswith("singular fit: no variance between models").all()
