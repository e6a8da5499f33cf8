import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_frames import study

from mps_study.stats.bootstrap import bootstrap_interval
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.rows import COLUMNS, Row, family
from mps_study.stats.run import STATISTICS, run_statistics

QUICK = StatisticsConfig(resamples=50)
SMALL = {"architectures": 3, "labelled": 14, "unlabelled": 8}


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return run_statistics(**study(**SMALL), config=QUICK)


def test_the_frame_has_exactly_the_documented_columns(small: pd.DataFrame) -> None:
    assert list(small.columns) == list(COLUMNS)
    assert small.index.equals(pd.RangeIndex(len(small)))


def test_the_frame_survives_parquet(small: pd.DataFrame, tmp_path: Path) -> None:
    small.to_parquet(tmp_path / "statistics.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "statistics.parquet"), small)


def test_no_test_group_contrast_and_effect_appears_twice(small: pd.DataFrame) -> None:
    assert not small.duplicated(["test", "group", "contrast", "effect_name"]).any()


def test_every_row_is_computed_or_says_why_not(small: pd.DataFrame) -> None:
    skipped = small["status"] == "skipped"
    assert (small.loc[skipped, "reason"] != "").all()
    assert small.loc[skipped, ["statistic", "p", "effect", "significant"]].isna().all(axis=None)
    assert small.loc[~skipped, "effect"].notna().all()
    assert set(small["status"]) == {"ok", "skipped"}


def test_rows_come_in_registry_order() -> None:
    frames = study(**SMALL)
    whole = run_statistics(**frames, config=QUICK)
    parts = [test(*frames.values(), QUICK) for test in STATISTICS.values()]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True))


def test_empty_frames_give_only_skipped_rows_with_the_same_dtypes(small: pd.DataFrame) -> None:
    empty = {name: frame.iloc[:0] for name, frame in study(**SMALL).items()}
    got = run_statistics(**empty, config=QUICK)
    assert (got["status"] == "skipped").all()
    assert got.dtypes.equals(small.dtypes)


def test_untyped_empty_frames_work_too() -> None:
    empty = {name: pd.DataFrame(columns=list(frame.columns)) for name, frame in study(**SMALL).items()}
    assert (run_statistics(**empty, config=QUICK)["status"] == "skipped").all()


def test_row_order_changes_nothing(small: pd.DataFrame) -> None:
    shuffled = {name: frame.sample(frac=1, random_state=i) for i, (name, frame) in enumerate(study(**SMALL).items())}
    pd.testing.assert_frame_equal(run_statistics(**shuffled, config=QUICK), small, rtol=1e-12)


def test_swapping_the_two_models_of_an_overlap_changes_nothing(small: pd.DataFrame) -> None:
    frames = study(**SMALL)
    swapped = frames["overlaps"].rename(columns={"model_a": "model_b", "model_b": "model_a"})
    got = run_statistics(**frames | {"overlaps": swapped}, config=QUICK)
    pd.testing.assert_frame_equal(got, small)


def test_names_only_turn_contrasts_around(small: pd.DataFrame) -> None:
    names = {"convnext": "z", "eva": "y", "inception": "x"}
    rename = {f"{old}_{m}": f"{new}_{9 - m}" for old, new in names.items() for m in range(3)}
    frames = study(**SMALL)
    renamed = {
        name: frame.replace({c: names | rename for c in frame.columns if c.startswith(("model", "architecture"))})
        for name, frame in frames.items()
    }
    got = run_statistics(**renamed, config=QUICK)
    back = {new: old for old, new in (names | rename).items()}

    def canonical(frame: pd.DataFrame, words: dict[str, str]) -> pd.DataFrame:
        """Names replaced, every difference turned so that its first name sorts first."""
        rows = []
        for row in frame.itertuples(index=False):
            team, comma, rest = row.group.partition(" models, ")
            sign, effect, low, high = 1, row.effect, row.ci_low, row.ci_high
            joint = " - " if " - " in row.contrast else " & "
            sides = [words.get(s, s) for s in row.contrast.split(joint)]
            if sides != sorted(sides) and "incorrect" not in sides:
                sides = sorted(sides)
                if joint == " - ":
                    sign, effect, low, high = -1, -effect, -high, -low
            statistic = row.statistic * (sign if row.test == "dunn" else 1)
            rows.append(
                {
                    "key": (row.test, words.get(team, team) + comma + rest, joint.join(sides)),
                    "effect_name": row.effect_name,
                    "statistic": statistic,
                    "p_adj": row.p_adj,
                    "effect": effect,
                    "n": row.n,
                    "dropped": row.dropped,
                }
            )
        table = pd.DataFrame(rows).sort_values(["key", "effect_name"], ignore_index=True)
        return table

    pd.testing.assert_frame_equal(canonical(got, back), canonical(small, {}), rtol=1e-6)


def test_rows_without_an_mps_are_dropped_and_counted() -> None:
    frames = study(**SMALL)
    areas = frames["areas"].assign(status="found", area=lambda t: t["area"].fillna(0.1))
    lost = areas["image"].isin(["image_0000", "image_0001"]) & (areas["model"] == "eva_1")
    areas.loc[lost, "status"] = "budget exhausted"  # its area must not be used, whatever it is
    got = run_statistics(**frames | {"areas": areas}, config=QUICK)
    got = got.drop_duplicates(["test", "group"]).set_index(["test", "group"])
    assert got.loc[("friedman", "eva models, all images"), "dropped"] == 2
    assert got.loc[("friedman", "convnext models, all images"), "dropped"] == 0
    assert got.loc[("friedman", "architecture means, labelled"), ["n", "dropped"]].tolist() == [
        12,
        2,
    ]
    assert got.loc[("kruskal-wallis", "all models, labelled"), ["n", "dropped"]].tolist() == [
        14 * 9 - 2,
        2,
    ]
    mixed = ("mixed model, random model and image", "all models, labelled")
    assert got.loc[mixed, ["n", "dropped"]].tolist() == [14 * 9 - 2, 2]


def test_a_study_of_one_architecture_skips_what_needs_several() -> None:
    got = run_statistics(**study(architectures=1, labelled=9, unlabelled=0), config=QUICK)
    ok = got[got["status"] == "ok"]
    assert set(ok["test"]) >= {"friedman", "wilcoxon signed-rank", "mean dice"}
    across = got[got["test"] == "kruskal-wallis"]
    assert across["reason"].str.contains("1 architecture").all()


def test_two_models_skip_friedman_and_still_get_their_wilcoxon() -> None:
    got = run_statistics(**study(architectures=1, models=2), config=QUICK)
    got = got[got["group"] == "convnext models, all images"].set_index("test")
    assert got.loc["friedman", "reason"] == "2 treatment(s) to compare; at least 3 are needed"
    assert got.loc["wilcoxon signed-rank", "status"] == "ok"


def test_planted_differences_are_found() -> None:
    got = run_statistics(**study(labelled=60), config=QUICK)
    got = got.drop_duplicates(["test", "group"]).set_index(["test", "group"])
    leading = ("friedman", "architecture means, all images")
    assert got.loc[leading, "significant"]
    assert got.loc[leading, "effect"] > 0.5
    mixed = got.loc[("mixed model, random model and image", "all models, labelled")]
    assert mixed["ci_low"] < 2.6 < mixed["ci_high"]


def test_no_warning_leaks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_statistics(**study(**SMALL), config=QUICK)
        run_statistics(**study(architectures=1, labelled=9, unlabelled=0), config=QUICK)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others(
    small: pd.DataFrame,
) -> None:
    pd.testing.assert_frame_equal(run_statistics(**study(**SMALL), config=QUICK), small)
    other = run_statistics(**study(**SMALL), config=replace(QUICK, seed=1))
    assert not other["ci_low"].equals(small["ci_low"])
    assert other["effect"].equals(small["effect"])


def test_a_bootstrapped_mean_has_the_textbook_interval() -> None:
    x = np.random.default_rng(1).normal(3, 2, 400)
    low, high = bootstrap_interval(x, np.mean, StatisticsConfig(resamples=20_000))
    half = 1.96 * x.std(ddof=1) / math.sqrt(400)
    assert low == pytest.approx(x.mean() - half, abs=0.03 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.03 * half)


def test_a_family_counts_only_what_was_tested() -> None:
    rows = [Row("t", "g", p=0.004), Row("t", "g"), Row("t", "g", p=0.02)]
    first, untested, second = family(rows, alpha=0.01)
    assert (first.p_adj, first.p_holm, first.significant) == (0.008, 0.008, True)
    assert (second.p_adj, second.p_holm, second.significant) == (0.04, 0.02, False)
    assert untested.significant is None
    assert math.isnan(untested.p_adj)


def test_every_interval_says_its_level_and_is_narrower_at_a_lower_one(small: pd.DataFrame) -> None:
    assert small["confidence"].notna().equals(small["ci_low"].notna())
    lower = run_statistics(**study(**SMALL), config=replace(QUICK, confidence=0.5))
    assert set(small["confidence"].dropna()) == {0.95} and set(lower["confidence"].dropna()) == {0.5}
    widths = [(frame["ci_high"] - frame["ci_low"]).dropna() for frame in (lower, small)]
    assert (widths[0] <= widths[1]).all() and widths[0].sum() < 0.6 * widths[1].sum()


def test_bonferroni_decides_where_holm_would_decide_otherwise() -> None:
    """Of p .02 and .03, Holm's adjusted p is .04 for both; Bonferroni's is .04 and .06."""
    first, second = family([Row("t", "g", p=0.02), Row("t", "g", p=0.03)], alpha=0.05)
    assert (second.p_adj, second.p_holm) == (0.06, pytest.approx(0.04))
    assert (first.significant, second.significant) == (True, False)


def test_undecided_images_count_as_dropped_once_each() -> None:
    """One image of which a compared model gave no answer: it is in no selection by answers, and dropped from each."""
    frames = study(architectures=2, models=2, labelled=14, unlabelled=8)
    areas = frames["areas"].assign(status="found", area=lambda a: a["area"].fillna(0.1))
    areas["correct"] = areas["correct"].mask(areas["half"] == "labelled", True)
    silent = (areas["image"] == "image_0003") & (areas["model"] == "eva_0")
    areas.loc[silent, ["target", "correct"]] = pd.NA
    rows = run_statistics(areas, frames["overlaps"], frames["model_summary"], QUICK).set_index(["test", "group"])
    kruskal = rows.loc[("kruskal-wallis", "best models, labelled, correct by all")]
    assert (kruskal["n"], kruskal["dropped"]) == (2 * 13, 2)
    paired = rows.loc[("wilcoxon signed-rank", "best models, labelled, correct by all")]
    assert paired["dropped"] == 1
    means = rows.loc[("mean dice", "best models, labelled, correct by all")]
    assert means["n"] + means["dropped"] == 14


def test_a_missing_column_is_named() -> None:
    frames = study(**SMALL)
    frames["areas"] = frames["areas"].drop(columns="status")
    with pytest.raises(ValueError, match=r"areas lacks status"):
        run_statistics(**frames, config=QUICK)


@pytest.mark.parametrize("name", ["areas", "overlaps", "model_summary"])
def test_a_repeated_row_is_named(name: str) -> None:
    frames = study(**SMALL)
    frames[name] = pd.concat([frames[name], frames[name].tail(1)])
    with pytest.raises(ValueError, match=rf"{name} has 1 repeated row"):
        run_statistics(**frames, config=QUICK)


def test_a_pair_given_in_both_orders_is_a_repeated_row() -> None:
    frames = study(**SMALL)
    turned = frames["overlaps"].tail(1).rename(columns={"model_a": "model_b", "model_b": "model_a"})
    frames["overlaps"] = pd.concat([frames["overlaps"], turned])
    with pytest.raises(ValueError, match="overlaps has 1 repeated row"):
        run_statistics(**frames, config=QUICK)


@pytest.mark.parametrize("choice", [{"alpha": 0}, {"confidence": 1}, {"min_n": 1}, {"resamples": 0}])
def test_impossible_choices_are_refused(choice: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(choice))):
        StatisticsConfig(**choice)  # type: ignore[arg-type]
