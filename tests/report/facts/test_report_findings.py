from __future__ import annotations

import dataclasses
import doctest

import pandas as pd
import pytest

from mps_study.report.facts import statistics_rows as rows
from mps_study.report.facts import wording
from mps_study.report.facts.findings import all_findings, correctness, positions, sizes
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.wording import fixed, number, percent
from mps_study.report.tables import captions
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import run_statistics


def with_row(results: StudyResults, test: str, **values: object) -> StudyResults:
    """The same study with some cells of one test's rows replaced."""
    statistics = results.statistics.copy()
    for column, value in values.items():
        statistics.loc[statistics["test"] == test, column] = value
    return dataclasses.replace(results, statistics=statistics)


def test_numbers_are_written_as_documented() -> None:
    assert doctest.testmod(wording).failed == 0


def test_the_answer_on_sizes_holds_the_numbers_of_the_matched_test(large: StudyResults) -> None:
    statistics = large.statistics
    row = statistics[statistics["group"] == "architecture means, all images"].iloc[0]
    finding = sizes(large)
    assert finding.verdict == "yes"
    for expected in (
        f"χ²({int(row['df'])}) = {number(row['statistic'])}",
        "p < 0.001",
        f"W = {number(row['effect'])}",
        f"n = {row['n']} images",
    ):
        assert expected in finding.answer
    means = large.areas.groupby("model")["area"].mean()
    assert percent(means.min()) in finding.answer and percent(means.max()) in finding.answer


def test_the_papers_own_test_stands_beside_the_answer(large: StudyResults) -> None:
    row = large.statistics[large.statistics["test"] == "kruskal-wallis"].iloc[0]
    evidence = " ".join(sizes(large).evidence)
    assert f"H(4) = {number(row['statistic'])}" in evidence
    assert f"ε² = {number(row['effect'])}" in evidence and "independent" in evidence


def test_blocks_that_were_left_out_are_mentioned(small: StudyResults) -> None:
    assert "n = 7 images (1 left out)" in sizes(small).answer


def test_a_difference_that_is_not_significant_is_no_proof_of_equality(small: StudyResults) -> None:
    finding = sizes(small)
    assert finding.verdict == "no"
    assert "not significant" in finding.answer and "no proof" in finding.answer


def test_the_answer_on_positions_holds_the_smallest_and_largest_mean_dice(
    large: StudyResults,
) -> None:
    dice = rows.mean_overlaps(large, "dice", rows.CORRECT_BY_ALL)
    answer = positions(large).answer
    assert len(dice) == 10
    for value in (dice["effect"].min(), dice["effect"].max()):
        assert fixed(value, 2) in answer
    assert f"on {dice['n'].min()} labelled images" in answer


def test_positions_fall_back_on_all_images_and_say_so(small: StudyResults) -> None:
    assert "too few are right" in positions(small).answer


@pytest.mark.parametrize(("mean", "verdict"), [(0.1, "yes"), (0.97, "no"), (0.6, "open")])
def test_the_verdict_on_positions_follows_the_mean_dice(mean: float, verdict: str, large: StudyResults) -> None:
    values = {"effect": mean, "ci_low": mean - 0.02, "ci_high": mean + 0.02}
    assert positions(with_row(large, "mean dice", **values)).verdict == verdict


def test_the_answer_on_correctness_holds_effect_interval_and_count(large: StudyResults) -> None:
    row = rows.correctness(large)
    assert row is not None
    answer = correctness(large).answer
    for column in ("effect", "ci_low", "ci_high"):
        assert number(row[column], 2) in answer
    assert f"n = {row['n']} areas" in answer


@pytest.mark.parametrize(
    ("effect", "significant", "verdict", "word"),
    [(2.6, True, "yes", "larger"), (-2.6, True, "no", "smaller"), (2.6, False, "no", "larger")],
)
def test_the_verdict_on_correctness_follows_sign_and_significance(
    effect: float, significant: bool, verdict: str, word: str, large: StudyResults
) -> None:
    test = "mixed model, random model and image"
    finding = correctness(with_row(large, test, effect=effect, significant=significant))
    assert finding.verdict == verdict
    assert f"2.6 percentage points {word}" in finding.answer


def test_intervals_are_said_with_their_own_level(large: StudyResults) -> None:
    statistics = large.statistics.assign(confidence=large.statistics["confidence"].replace(0.95, 0.9))
    other = dataclasses.replace(large, statistics=statistics)
    for results, level in ((large, "95%"), (other, "90%")):
        assert f"({level} interval of wrong minus right" in correctness(results).answer
        assert f"their {level} intervals included" in positions(results).evidence[0]
        assert f"bootstrap {level} intervals over images" in captions.about_pairs(results)
        assert f"of 95% for areas and accuracies, of {level} for overlaps and tests" in captions.about_the_paper(
            results
        )
        assert "with bootstrap 95% intervals" in captions.about_models(results)  # those of the summary always are
    without = dataclasses.replace(large, statistics=large.statistics.drop(columns="confidence"))
    assert "(interval of wrong minus right" in correctness(without).answer


def test_a_skipped_test_leaves_its_question_open_with_the_reason(large: StudyResults) -> None:
    reason = "3 complete block(s); at least 5 are needed"
    for test, answer in (
        ("friedman", sizes),
        ("mixed model, random model and image", correctness),
    ):
        finding = answer(with_row(large, test, status="skipped", reason=reason))
        assert finding.verdict == "open" and finding.headline == "Not tested."
        assert f"skipped: {reason}" in finding.answer


def test_a_study_without_any_statistics_answers_that_nothing_was_tested(
    large: StudyResults,
) -> None:
    bare = dataclasses.replace(large, statistics=large.statistics.iloc[:0])
    assert [finding.verdict for finding in all_findings(bare)] == ["open"] * 3


def test_one_model_is_nothing_to_compare(lucky: StudyResults) -> None:
    assert sizes(lucky).headline == "Nothing to compare."


def test_the_rows_are_found_in_what_the_statistics_room_emits(large: StudyResults, small: StudyResults) -> None:
    for results in (large, small):
        frame = run_statistics(results.areas, results.overlaps, results.model_summary, StatisticsConfig(resamples=20))
        real = dataclasses.replace(results, statistics=frame)
        assert [f.verdict for f in all_findings(real)] == [f.verdict for f in all_findings(results)]
        ours = rows.sizes_across_architectures(results)
        theirs = rows.sizes_across_architectures(real)
        assert ours is not None and theirs is not None
        for column in ("statistic", "df", "p", "effect", "n", "dropped"):
            assert theirs[column] == pytest.approx(ours[column])
        assert rows.correctness(real, relative=True) is not None
        assert isinstance(rows.kruskal_wallis(real), pd.Series)
