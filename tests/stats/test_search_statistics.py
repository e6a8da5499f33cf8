"""Searches of one model against each other: SciPy is the outside judge."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from study_frames import study

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import FLOOR_STATISTICS, SEARCH_STATISTICS, STATISTICS, TRUST_STATISTICS, run_statistics

CONFIG = StatisticsConfig(resamples=200)


def searched(searches: int) -> dict[str, pd.DataFrame]:
    """A study of 3 models by so many searches, each with holes of its own."""
    frames = study(architectures=1, models=3)
    parts = [frames["areas"]]
    for k in range(1, searches):
        random = np.random.default_rng(k)
        area = frames["areas"]["area"] * random.uniform(0.2 * k, 1, len(frames["areas"]))
        parts.append(frames["areas"].assign(search=f"other_{k}", area=area))
    return frames | {"areas": pd.concat(parts, ignore_index=True)}


def rows(frame: pd.DataFrame, test: str) -> pd.DataFrame:
    return frame[(frame["test"] == test) & frame["group"].str.startswith("searches of")]


def both(areas: pd.DataFrame, model: str, *searches: str) -> pd.DataFrame:
    """Areas of a model on the images on which all these searches found a set, one column a search."""
    mine = areas[(areas["model"] == model) & (areas["status"] == "found")]
    return mine.pivot(index="image", columns="search", values="area")[list(searches)].dropna()


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return searched(3)


@pytest.fixture(scope="module")
def ours(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return run_statistics(**frames, config=CONFIG)


def test_differences_are_means_over_the_images_that_both_searches_found(ours, frames) -> None:
    found = rows(ours, "mean difference of searches")
    assert len(found) == 6 and found["p"].isna().all()
    for row in found.itertuples():
        search, own = row.contrast.split(" - ")
        table = both(frames["areas"], row.group.removeprefix("searches of "), search, own)
        difference = (table[search] - table[own]).to_numpy()
        assert row.effect == pytest.approx(difference.mean(), rel=1e-9)
        assert row.n == len(difference) and row.n + row.dropped == 60
        judge = stats.bootstrap(
            (difference.round(12),), np.mean, n_resamples=200, method="percentile", rng=np.random.default_rng(0)
        ).confidence_interval
        assert (row.ci_low, row.ci_high) == pytest.approx((judge.low, judge.high))


def test_the_interval_of_a_difference_says_its_level(frames, ours) -> None:
    config = StatisticsConfig(resamples=200, confidence=0.8)
    found = SEARCH_STATISTICS["differences of searches"](*(frames[n] for n in frames), config)
    wider = rows(ours, "mean difference of searches").reset_index(drop=True)
    assert (found["confidence"] == 0.8).all() and (wider["confidence"] == 0.95).all()
    assert (found["ci_high"] - found["ci_low"] < wider["ci_high"] - wider["ci_low"]).all()


def test_wilcoxon_is_scipys_and_all_models_and_searches_are_one_family(ours, frames) -> None:
    found = rows(ours, "wilcoxon signed-rank")
    p = []
    for row in found.itertuples():
        search, own = row.contrast.split(" - ")
        table = both(frames["areas"], row.group.removeprefix("searches of "), search, own)
        judge = stats.wilcoxon((table[search] - table[own]).round(12), correction=True)
        assert (row.statistic, row.p) == pytest.approx((judge.statistic, judge.pvalue), rel=1e-12)
        p.append(judge.pvalue)
    assert found["p_holm"].to_numpy() == pytest.approx(multipletests(p, method="holm")[1])
    assert found["p_adj"].to_numpy() == pytest.approx(multipletests(p, method="bonferroni")[1])


def test_friedman_is_scipys_over_all_searches_of_a_model(ours, frames) -> None:
    found = rows(ours, "friedman")
    assert len(found) == 3
    for row in found.itertuples():
        table = both(frames["areas"], row.group.removeprefix("searches of "), "other_1", "other_2", "study")
        judge = stats.friedmanchisquare(*table.to_numpy().T)
        assert (row.statistic, row.p, row.n) == pytest.approx((judge.statistic, judge.pvalue, len(table)))


def test_two_searches_have_no_friedman_and_one_search_has_no_row_at_all() -> None:
    two = run_statistics(**searched(2), config=CONFIG)
    assert rows(two, "friedman").empty and len(rows(two, "wilcoxon signed-rank")) == 3
    one = run_statistics(**searched(1), config=CONFIG)
    assert not one["group"].str.startswith("searches of").any()


def test_searches_are_compared_with_others_that_are_named_and_no_two_of_them_twice(ours, frames) -> None:
    """All rows are one family, so that more of them are not free."""
    found = run_statistics(**frames, config=replace(CONFIG, against=("other_1", "study", "nowhere")))
    contrasts = set(rows(found, "wilcoxon signed-rank")["contrast"])
    assert contrasts == {"other_1 - study", "other_2 - study", "other_2 - other_1"}
    more, fewer = (rows(each, "wilcoxon signed-rank").set_index(["group", "contrast"]) for each in (found, ours))
    assert len(more) == len(fewer) + 3
    assert (more.loc[fewer.index, "p_adj"] >= fewer["p_adj"]).all()
    for row in rows(found, "mean difference of searches").query("contrast == 'other_2 - other_1'").itertuples():
        table = both(frames["areas"], row.group.removeprefix("searches of "), "other_2", "other_1")
        assert row.effect == pytest.approx((table["other_2"] - table["other_1"]).mean())


def at_floors(areas: pd.DataFrame) -> pd.DataFrame:
    """Sets at two further floors, of images on which the first set was found; other_2 has none at 0.9."""
    found = areas[areas["status"] == "found"]
    return pd.concat(
        [
            found.assign(kind="floor", share=0.0),
            found.assign(kind="floor", share=0.5, area=found["area"] ** 0.8),
            found.assign(kind="floor", share=0.9, area=found["area"].where(found["search"] != "other_2") ** 0.5),
            found.assign(kind="further", share=np.nan),
        ],
        ignore_index=True,
    )


def test_searches_are_compared_at_each_further_floor_as_at_the_first(frames) -> None:
    areas = frames["areas"].assign(share=0.0, confidence=0.5, certified=False)
    more = at_floors(areas)
    found = run_statistics(**frames | {"areas": areas}, config=CONFIG, more_sets=more)
    groups = found.loc[found["group"].str.contains("of the confidence"), "group"]
    models = list(frames["model_summary"]["model"])
    assert set(groups) == {f"searches of {m}, {s} of the confidence" for m in models for s in (0.5, 0.9)}
    without = run_statistics(**frames | {"areas": areas}, config=CONFIG)
    pd.testing.assert_frame_equal(found.drop(groups.index).reset_index(drop=True), without)
    p = []
    for row in found.loc[groups.index].query("status == 'ok'").itertuples():
        model, share = row.group.removeprefix("searches of ").split(", ")
        share, (search, own) = float(share.split()[0]), row.contrast.split(" - ")
        table = both(more.query("kind == 'floor' and share == @share"), model, search, own)
        difference = (table[search] - table[own]).round(12)
        assert row.n == len(difference) and row.n + row.dropped == 60
        if row.test == "wilcoxon signed-rank":
            judge = stats.wilcoxon(difference, correction=True)
            assert (row.statistic, row.p) == pytest.approx((judge.statistic, judge.pvalue), rel=1e-12)
            p.append(judge.pvalue)
        else:
            assert row.effect == pytest.approx(difference.mean(), rel=1e-9)
    assert len(p) == 9
    holm = multipletests(p, method="holm")[1]
    tested = found.loc[groups.index].query("status == 'ok' and test == 'wilcoxon signed-rank'")
    np.testing.assert_allclose(tested["p_holm"], holm, rtol=1e-12)
    skipped = found.loc[groups.index].query("contrast == 'other_2 - study' and group.str.contains('0.9')")
    assert len(skipped) == 6 and (skipped["status"] == "skipped").all()


def test_further_searches_change_no_row_of_the_studys_own(ours) -> None:
    alone = run_statistics(**searched(1), config=CONFIG)
    kept = ours[~ours["group"].str.startswith("searches of")].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, alone, check_exact=True)


def test_too_few_images_are_a_skipped_row_with_a_reason() -> None:
    frames = searched(2)
    few = frames["areas"]["search"].eq("other_1") & frames["areas"]["image"].gt("image_0002")
    frames["areas"].loc[few, ["area", "status"]] = [np.nan, "unstable"]
    found = rows(run_statistics(**frames, config=CONFIG), "mean difference of searches")
    assert (found["status"] == "skipped").all() and found["reason"].str.contains("at least 5 are needed").all()


def test_progress_is_told_of_every_statistic() -> None:
    seen: list[object] = []
    run_statistics(**searched(1), config=CONFIG, progress=lambda tests: seen.extend(tests) or iter(seen))
    assert len(seen) == sum(map(len, (STATISTICS, SEARCH_STATISTICS, FLOOR_STATISTICS, TRUST_STATISTICS)))
