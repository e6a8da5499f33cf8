"""Searches compared: the section of a study that has several, and nothing of it where there is one."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from mps_study.report.explorer.images import ExplorerSizes, image_script
from mps_study.report.explorer.page import study_facts
from mps_study.report.facts.results import StudyResults
from mps_study.report.facts.searches import sentence
from mps_study.report.figures.all_figures import FIGURES, SEARCH_FIGURES, figures_of
from mps_study.report.figures.style import to_png
from mps_study.report.page.html import render_report
from mps_study.report.tables.all_tables import SEARCH_TABLES, TABLES, tables_of
from mps_study.stats.config import StatisticsConfig
from mps_study.stats.run import FLOOR_STATISTICS

SIZES = ExplorerSizes(photo=64, thumbnail=32, heat_map=0)


def page_of(results: StudyResults) -> str:
    figures = {
        name: to_png(figures_of(results)[name](results)) for name in figures_of(results) if name in SEARCH_FIGURES
    }
    return render_report(results, tables_of(results), figures)


def test_a_study_of_one_search_says_nothing_of_searches(small: StudyResults) -> None:
    assert list(tables_of(small)) == list(TABLES) and list(figures_of(small)) == list(FIGURES)
    assert "Searches compared" not in page_of(small)


def test_a_study_of_several_has_a_section_after_tables_and_figures(searched: StudyResults) -> None:
    page = page_of(searched)
    order = [
        page.index(f'id="{part}"') for part in ("figures", "searches", "table-searches", "table-search_differences")
    ]
    assert order == sorted(order) and page.index('id="figure-searches"') < page.index('id="failures"')
    assert page.count('id="table-searches"') == 1
    assert f"Table {len(TABLES) + 1}. Searches by model" in page and "Figure 1. What sets cover" in page


def test_all_else_is_about_the_studys_own_search(searched: StudyResults, small: StudyResults) -> None:
    for name in TABLES:
        if name != "statistics":  # which has every test of the run
            assert tables_of(searched)[name].equals(TABLES[name](small)), name


def test_the_table_puts_a_models_searches_together_and_counts_how_they_ended(searched: StudyResults) -> None:
    table = SEARCH_TABLES["searches"](searched)
    assert list(table["Model"]) == [model for model in searched.models() for _ in range(2)]
    assert list(table["Search"]) == ["study", "minimal"] * 3
    assert [name for name in table if name.startswith("Images")] == [
        "Images, found",
        "Images, unstable",
        "Images, below",
    ]
    lite0 = table[table["Model"] == "lite0"].set_index("Search")
    assert lite0.loc["minimal", "Images, below"] == 1 and lite0.loc["minimal", "Area, n"] == 7
    found = searched.searches.areas.query("model == 'lite0' and search == 'minimal' and status == 'found'")
    assert lite0.loc["minimal", "Area"] == pytest.approx(found["area"].mean())


def test_differences_carry_the_mean_its_interval_and_the_test(searched: StudyResults) -> None:
    table = SEARCH_TABLES["search_differences"](searched)
    assert list(table["Model"]) == searched.models() and set(table["Search"]) == {"minimal"}
    areas = searched.searches.areas.query("model == 'lite2'").pivot(index="image", columns="search", values="area")
    row = table.set_index("Model").loc["lite2"]
    assert row["Area difference"] == pytest.approx((areas["minimal"] - areas["study"]).mean())
    assert row["Area difference, low"] <= row["Area difference"] <= row["Area difference, high"] < 0
    assert row["Effect, rank-biserial"] == -1 and row["p"] == pytest.approx(2 / 2**8)
    assert (table["p, Holm"] >= table["p"]).all() and (table["p, Bonferroni"] >= table["p, Holm"]).all()


def test_differences_at_further_floors_have_rows_of_their_own(searched: StudyResults) -> None:
    areas = searched.searches.areas
    half = areas.query("status == 'found'").assign(kind="floor", share=0.5, area=lambda sets: 2 * sets["area"])
    tests = [test(areas, half, StatisticsConfig(resamples=50)) for _, test in FLOOR_STATISTICS.values()]
    statistics = pd.concat([searched.statistics, *tests], ignore_index=True)
    searches = dataclasses.replace(searched.searches, more_sets=half)
    table = SEARCH_TABLES["search_differences"](dataclasses.replace(searched, statistics=statistics, searches=searches))
    assert list(table["Set"]) == ["first"] * 3 + ["0.5 of the confidence"] * 3
    first, second = (rows.set_index("Model") for _, rows in table.groupby("Set", sort=False))
    for model in searched.models():
        assert second.loc[model, "Area difference"] == pytest.approx(2 * first.loc[model, "Area difference"])
        assert second.loc[model, "n"] == first.loc[model, "n"] and second.loc[model, "p"] == first.loc[model, "p"]


def test_the_sentence_says_how_much_smaller_and_at_which_price(searched: StudyResults) -> None:
    means = searched.statistics.query("test == 'mean difference of searches'")["effect"]
    said = sentence(searched)
    assert f"cover {abs(100 * means.mean()):.2g} percentage points less of the input" in said
    assert "over 3 models (a significant difference for 0 of them), for 0.33 times its evaluations" in said


def test_a_search_that_cannot_be_compared_is_told(searched: StudyResults) -> None:
    rows = searched.statistics["test"] == "mean difference of searches"
    statistics = searched.statistics.assign(status=searched.statistics["status"].mask(rows, "skipped"))
    assert sentence(dataclasses.replace(searched, statistics=statistics)).startswith("minimal was not compared")


def test_the_figure_has_a_point_a_model_and_search_inside_its_axes(searched: StudyResults) -> None:
    figure = SEARCH_FIGURES["searches"](searched)
    (axes,) = figure.axes
    points = [(x, y) for line in axes.lines if line.get_marker() not in ("None", "") for x, y in line.get_xydata()]
    summary = searched.searches.summary
    assert sorted(points) == sorted(zip(summary["evaluations"], 100 * summary["area"], strict=True))
    named = {text.get_text() for text in axes.texts} | {text.get_text() for text in figure.findobj(Text)}
    assert set(searched.models()) | {"study", "minimal", "EfficientNet"} <= named


def test_the_explorer_holds_every_searchs_records_sets_and_overlaps(searched: StudyResults) -> None:
    facts = study_facts(searched)
    assert facts["searches"] == ["study", "minimal"]
    images, models = len(searched.manifest), len(searched.models())
    assert len(facts["records"]["area"]) == 2 * images * models
    place = (1 * images + 4) * models + 2
    row = searched.searches.areas.query("search == 'minimal' and model == 'lite2' and image == 'val_0004'").iloc[0]
    assert facts["records"]["area"][place] == pytest.approx(row["area"], abs=1e-6)
    script = image_script(searched, 3, SIZES)
    image = json.loads(script.partition(",")[2].strip().removesuffix(");"))
    assert len(image["sightings"]) == 2 * models and image["sightings"][models]["mask"] is None
    overlaps = searched.searches.overlaps.query("image == 'val_0003'").set_index("model")["dice"]
    expected = [[None if np.isnan(overlaps[model]) else round(overlaps[model], 4)] for model in searched.models()]
    assert image["searchPairs"] == expected and expected[0] == [None]
