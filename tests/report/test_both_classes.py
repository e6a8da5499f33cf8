"""A study that was also searched for the images' labels: report and explorer show both sets of a wrong answer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from synthetic_searches import OTHER

from mps_study.report.explorer.page import study_facts
from mps_study.report.facts.both_classes import asks_for_labels, both_classes
from mps_study.report.facts.results import StudyResults
from mps_study.report.figures.all_figures import figures_of
from mps_study.report.figures.of_searches.both_classes import draw_both_classes, shown_rows
from mps_study.report.page.html import render_report
from mps_study.report.tables.all_tables import tables_of


def test_every_wrong_answer_stands_with_both_of_its_sets(asked: StudyResults) -> None:
    wrong = asked.areas[~asked.areas["correct"].astype("boolean").fillna(True)]
    both = both_classes(asked)
    assert len(wrong) == len(both) > 0
    assert set(zip(both["image"], both["model"], strict=True)) == set(zip(wrong["image"], wrong["model"], strict=True))
    assert (both["search_given"] == "study").all() and (both["search_label"] == OTHER).all()
    assert (both["target"] != both["label"]).all()
    assert both["target_confidence_given"].is_monotonic_decreasing
    table = tables_of(asked)["both_classes"]
    row, source = table.iloc[0], both.iloc[0]
    assert (row["Image"], row["Model"]) == (source["image"], source["model"])
    assert row["Given"] == asked.class_name(source["target"]) != row["Label"] == asked.class_name(source["label"])
    assert row["Area, given"] == source["area_given"] and row["Area, label"] == source["area_label"]
    overlaps = asked.searches.overlaps if asked.searches else pd.DataFrame()
    of_row = overlaps[(overlaps["image"] == row["Image"]) & (overlaps["model"] == row["Model"])]
    assert np.array_equal([row["Dice"]], of_row["dice"], equal_nan=True)


def test_a_study_that_asks_for_no_label_has_neither_table_nor_figure(
    searched: StudyResults, small: StudyResults
) -> None:
    assert searched.searches is not None
    areas = searched.searches.areas
    plain = dataclasses.replace(
        searched, searches=dataclasses.replace(searched.searches, areas=areas.assign(kept=areas["target"]))
    )
    for results in (plain, searched, small):
        assert not asks_for_labels(results)
        assert "both_classes" not in {*tables_of(results), *figures_of(results)}


def test_the_figure_has_a_row_a_model_of_its_surest_wrong_answer(asked: StudyResults) -> None:
    rows = shown_rows(asked)
    assert len({row["model"] for row in rows}) == len(rows) > 0
    figure = draw_both_classes(asked)
    said = [text.get_text() for axes in figure.axes for text in (axes.title, axes._left_title, *axes.texts)]
    for row in rows:
        for which, sign in (("target", "✗ "), ("label", "label: ")):
            assert any(f"{sign}{asked.class_name(row[which])[:14]}" in each for each in said), (row["model"], which)


def test_report_and_explorer_name_the_class_that_a_set_keeps(asked: StudyResults) -> None:
    figures = {name: "not drawn here" for name in figures_of(asked)}
    page = render_report(asked, tables_of(asked), figures)
    assert 'id="table-both_classes"' in page and 'id="figure-both_classes"' in page
    facts = study_facts(asked)
    kept, target = facts["records"]["kept"], facts["records"]["target"]
    half = len(kept) // 2
    assert not any(kept[:half])  # the study's own search keeps what the model says
    labels = [label for label in facts["images"]["label"] for _ in asked.models()]
    wrong = [label is not None and label != given for label, given in zip(labels, target[half:], strict=True)]
    assert [each is not None for each in kept[half:]] == wrong
    assert {index for index in kept if index is not None} <= facts["classes"].keys()
    assert facts["records"]["reason"].count("no set passed when it was asked about alone") == 2
