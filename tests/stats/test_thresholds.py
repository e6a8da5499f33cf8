"""Where a test begins to be computed and to be significant: exactly at `min_n`, at `alpha`, at a variance of zero."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from study_frames import study

from mps_study.stats.config import StatisticsConfig
from mps_study.stats.methods.correctness import mixed_model
from mps_study.stats.methods.friedman import friedman_row
from mps_study.stats.methods.kruskal import dunn
from mps_study.stats.methods.mixed import fit_area
from mps_study.stats.methods.overlap import overlap_means
from mps_study.stats.methods.searches import search_differences
from mps_study.stats.methods.wilcoxon import paired_contrast
from mps_study.stats.rows import Row, family
from mps_study.stats.samples.samples import Independent, Matched, independent_samples, matched_samples

CONFIG = StatisticsConfig(resamples=20)
FEWEST = CONFIG.min_n


def test_a_p_of_exactly_alpha_is_not_significant() -> None:
    at, below = family([Row("t", "g", p=0.005), Row("t", "g", p=0.0049)], alpha=0.01)
    assert (at.p_adj, at.significant, below.significant) == (0.01, False, True)


@pytest.mark.parametrize(("n", "status"), [(FEWEST, "ok"), (FEWEST - 1, "skipped")])
def test_as_many_values_as_are_needed_suffice_for_every_test(n: int, status: str) -> None:
    random = np.random.default_rng(n)
    table = pd.DataFrame(random.random((n, 3)), columns=["a", "b", "c"])
    assert friedman_row("friedman", Matched("g", table, 0), FEWEST).status == status
    assert paired_contrast(Matched("g", table, 0), "a", "b", CONFIG).status == status
    many = random.random(9)
    assert bool(Independent("g", {"a": many, "b": table["a"].to_numpy()}, {}).unfit(FEWEST)) == (status == "skipped")


@pytest.mark.parametrize(("n", "status"), [(FEWEST, "ok"), (FEWEST - 1, "skipped")])
def test_as_many_images_as_are_needed_suffice_for_every_description(n: int, status: str) -> None:
    frames = study(architectures=1, models=2, labelled=n, unlabelled=0)
    frames["areas"] = frames["areas"].assign(area=np.random.default_rng(0).random(2 * n), status="found")
    frames["overlaps"] = frames["overlaps"].assign(dice=np.linspace(0.1, 0.9, n))
    means = overlap_means(*frames.values(), CONFIG)
    means = means[(means["test"] == "mean dice") & (means["group"] == "convnext models, all images")]
    assert means["status"].tolist() == [status] and means["n"].tolist() == [n]
    both = pd.concat([frames["areas"], frames["areas"].assign(search="other", area=0.5)], ignore_index=True)
    differences = search_differences(both, frames["overlaps"], frames["model_summary"], CONFIG)
    assert differences["status"].tolist() == [status] * 2 and differences["n"].tolist() == [n] * 2


def answered(wrong: int, images: int = 20) -> dict[str, pd.DataFrame]:
    """Two models on the same images, of whose answers so many are wrong; every area found."""
    frames = study(architectures=1, models=2, labelled=images, unlabelled=0)
    areas = frames["areas"].assign(area=np.random.default_rng(1).random(2 * images), status="found")
    areas["correct"] = pd.array(np.arange(2 * images) >= wrong, dtype="boolean")
    return frames | {"areas": areas}


@pytest.mark.parametrize(("wrong", "status"), [(FEWEST, "ok"), (FEWEST - 1, "skipped")])
@pytest.mark.parametrize("turned", [False, True], ids=["few wrong", "few right"])
def test_as_many_wrong_answers_as_are_needed_suffice_for_a_mixed_model(wrong: int, status: str, turned: bool) -> None:
    frames = answered(wrong)
    frames["areas"]["correct"] ^= turned
    got = mixed_model(*frames.values(), CONFIG)
    assert set(got["status"]) == {status}
    if status == "skipped":
        assert got["reason"].str.contains(f"at least {FEWEST} each are needed").all()


def test_images_that_are_seen_once_each_have_no_intercept_of_their_own() -> None:
    """One row an image: what the image does cannot be told from what is left over."""
    frames = answered(20)
    areas = frames["areas"]
    areas["image"] = areas["image"] + areas["model"]
    got = mixed_model(*frames.values(), CONFIG).set_index("test")
    assert got.loc["mixed model, random model", "status"].eq("ok").all()
    (row,) = got.loc[["mixed model, random model and image"]].itertuples()
    assert (row.status, row.n) == ("skipped", 40)
    assert row.reason == "40 image(s) in 40 rows; at least 2, one seen twice, are needed"


@pytest.mark.parametrize(("distance", "singular"), [(0.0, True), (0.3, False)])
def test_a_small_variance_between_models_is_one(distance: float, singular: bool) -> None:
    """Of equal means nothing is left between models; of two that lie .3 standard deviations apart some per cent are."""
    one = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    rows = pd.DataFrame(
        {
            "area": 0.5 + 0.05 * np.concatenate([one, one + distance]),
            "incorrect": np.tile([0.0, 1.0, 1.0, 0.0], 100),
            "model": np.repeat(["a", "b"], 200),
        }
    )
    assert fit_area(rows, ("model",)).notes.startswith("singular fit") == singular


def test_dunns_statistic_is_positive_where_the_first_architecture_ranks_higher() -> None:
    frames = study(architectures=2, models=1, labelled=0, unlabelled=12)
    low = frames["areas"]["architecture"] == "convnext"
    frames["areas"] = frames["areas"].assign(status="found", area=np.where(low, 0.1, 0.2) + np.arange(24) / 1000)
    rows = dunn(*frames.values(), CONFIG).set_index("group")
    row = rows.loc["all models, all images"]
    n = 12  # of each: all of one rank below all of the other
    z = -n / np.sqrt(2 * n * (2 * n + 1) / 12 * 2 / n)
    assert row["contrast"] == "convnext - eva"
    assert (row["statistic"], row["effect"]) == (pytest.approx(z), -1)
    assert row["p"] == pytest.approx(2 * stats.norm.sf(-z))


def test_differences_of_zero_are_dropped_beside_the_blocks_that_were_dropped_before() -> None:
    table = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], "b": [0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]})
    row = paired_contrast(Matched("g", table, 3), "a", "b", CONFIG)
    assert (row.n, row.dropped, row.reason) == (5, 3 + 2, "2 zero difference(s) left out")


def silent() -> dict[str, pd.DataFrame]:
    """One of two best models gave no answer to one of ten images; its set was found all the same."""
    frames = study(architectures=2, models=1, labelled=10, unlabelled=0)
    right = pd.array([True] * 20, dtype="boolean")
    areas = frames["areas"].assign(status="found", correct=right, area=np.arange(20) / 100 + 0.1)
    areas.loc[(areas["image"] == "image_0003") & (areas["model"] == "eva_0"), ["target", "correct"]] = pd.NA
    return frames | {"areas": areas, "overlaps": frames["overlaps"].assign(dice=0.5)}


def test_an_undecided_image_counts_as_dropped_wherever_images_are_chosen() -> None:
    frames = silent()
    best, chosen = ["convnext_0", "eva_0"], "best models, labelled, correct by all"
    (independent,) = (each for each in independent_samples(frames["areas"], best) if each.group == chosen)
    assert independent.dropped == {"convnext": 1, "eva": 1}
    assert {name: len(x) for name, x in independent.values.items()} == {"convnext": 9, "eva": 9}
    (matched,) = (each for each in matched_samples(frames["areas"], best) if each.group == chosen)
    assert (len(matched.table), matched.dropped) == (9, 1)
    means = overlap_means(*frames.values(), CONFIG)
    (row,) = means[(means["test"] == "mean dice") & (means["group"] == chosen)].itertuples()
    assert (row.n, row.dropped) == (9, 1)


def test_only_where_every_block_is_tied_throughout_is_there_nothing_to_rank() -> None:
    """Five blocks of ranks 1, 2, 3 and a tied one: rank sums 7, 12, 17, so 8.333; corrected for the tie by 6 / 5."""
    table = pd.DataFrame({"a": [0.1] * 6, "b": [0.1] + [0.2] * 5, "c": [0.1] + [0.3] * 5})
    row = friedman_row("friedman", Matched("g", table, 0), FEWEST)
    assert (row.status, row.n, row.statistic) == ("ok", 6, pytest.approx(10))
    assert row.effect == pytest.approx(10 / 12)
    tied = friedman_row("friedman", Matched("g", table.assign(b=table["a"], c=table["a"]), 0), FEWEST)
    assert (tied.status, tied.reason) == ("skipped", "every block is tied throughout")


def test_a_fit_that_is_cut_short_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = MixedLM.fit
    monkeypatch.setattr(MixedLM, "fit", lambda self, **options: whole(self, **options | {"maxiter": 1}))
    got = mixed_model(*answered(20).values(), CONFIG)
    assert set(got["status"]) == {"skipped"} and got["effect"].isna().all()
    assert got["reason"].str.startswith("the optimiser did not converge").all()
