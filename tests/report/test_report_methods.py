"""Methods compared: what the table says of each search and floor, and one image through all of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from mps_study.measures.trust.rows import Row, to_frame
from mps_study.report.facts.results import NothingToShow, StudyResults
from mps_study.report.figures.all_figures import SEARCH_FIGURES
from mps_study.report.figures.of_searches.methods import scattered, typical_of_all
from mps_study.report.tables.all_tables import SEARCH_TABLES


def found(results: StudyResults, search: str, model: str) -> pd.Series:
    """Image -> area of the sets that were found."""
    areas = results.searches.areas.query("search == @search and model == @model and status == 'found'")
    return areas.set_index("image")["area"]


@pytest.fixture
def floored(searched: StudyResults) -> StudyResults:
    """The same with sets at half of the confidence, twice as large, which the other search lacks on one image."""
    first = searched.searches.areas.query("status == 'found'")
    half = first.assign(kind="floor", share=0.5, area=2 * first["area"], certified=False)
    half.loc[(half["search"] == "minimal") & (half["image"] == "val_0001"), "area"] = np.nan
    more = pd.concat([first.assign(kind="floor"), half], ignore_index=True)
    return dataclasses.replace(searched, searches=dataclasses.replace(searched.searches, more_sets=more))


def test_each_search_has_a_row_a_floor_with_its_share_of_the_own_searchs_area(floored: StudyResults) -> None:
    table = SEARCH_TABLES["methods"](floored)
    floors = ["the class alone", "0.5 of the confidence"]
    assert list(table["Set"].unique()) == floors and len(table) == 2 * 2 * 3
    rows = table.set_index(["Model", "Set", "Search"])
    for model in floored.models():
        own, other = found(floored, "study", model), found(floored, "minimal", model)
        both = own.index.intersection(other.index)
        alone = rows.loc[(model, floors[0], "minimal")]
        assert alone["Area"] == pytest.approx(other.mean()) and alone["Area, median"] == pytest.approx(other.median())
        assert alone["Share of the own search's area"] == pytest.approx(other[both].sum() / own[both].sum())
        assert rows.loc[(model, floors[0], "study"), "Share of the own search's area"] == 1
        kept = both.drop("val_0001", errors="ignore")
        half = rows.loc[(model, floors[1], "minimal")]
        assert half["Share of the own search's area"] == pytest.approx(other[kept].sum() / own[kept].sum())
        assert half["Without a set"] == 8 - half["n"] and half["n"] == len(other.drop("val_0001", errors="ignore"))


def test_what_is_of_a_whole_search_stands_once(floored: StudyResults) -> None:
    table = SEARCH_TABLES["methods"](floored).set_index(["Model", "Set", "Search"])
    summary = floored.searches.summary.set_index(["model", "search"])
    for (model, demanded, search), row in table.iterrows():
        once = demanded == "the class alone"
        assert (row["Evaluations an image"] == summary.loc[(model, search), "evaluations"]) == once
        assert pd.isna(row["Insertion"]) != once
    assert set(table.query("Search == 'minimal' and Set == 'the class alone'")["1-minimal as found"]) == {1.0}
    assert set(table.query("Search == 'study' and Set == 'the class alone'")["1-minimal as found"]) == {0.0}


def test_survival_on_random_backgrounds_stands_beside_where_it_was_probed(floored: StudyResults) -> None:
    assert not any("random" in name for name in SEARCH_TABLES["methods"](floored))
    told = [
        Row("survival", "share that keep the class", 0.25, 0.1, 0.4, 7, "lite0", search="minimal", condition=condition)
        for condition in ("random_backgrounds", "blur")
    ]
    told[1] = dataclasses.replace(told[1], value=0.9)
    table = SEARCH_TABLES["methods"](dataclasses.replace(floored, trust=to_frame(told)))
    names = ["Survive random backgrounds", "Survive random backgrounds, low", "Survive random backgrounds, high"]
    rows = table.set_index(["Model", "Set", "Search"])[names]
    assert tuple(rows.loc[("lite0", "the class alone", "minimal")]) == (0.25, 0.1, 0.4)
    assert rows.isna().all(axis=1).sum() == len(rows) - 1


def test_a_study_without_floors_has_its_searches_at_what_each_demands(searched: StudyResults) -> None:
    areas = searched.searches.areas
    areas = areas.assign(share=np.where(areas["search"] == "minimal", 0.5, 0.0))
    table = SEARCH_TABLES["methods"](
        dataclasses.replace(searched, searches=dataclasses.replace(searched.searches, areas=areas))
    )
    assert dict(zip(table["Search"], table["Set"], strict=True)) == {
        "study": "the class alone",
        "minimal": "0.5 of the confidence",
    }
    assert table.set_index("Search").loc["minimal", "Share of the own search's area"].isna().all()


def test_the_figure_has_a_panel_a_search_of_a_typical_image(searched: StudyResults) -> None:
    figure = SEARCH_FIGURES["methods"](searched)
    assert len(figure.axes) == 3
    told = {text.get_text() for text in figure.findobj(Text)}
    assert {"a  own search", "b  minimal"} <= told
    choice = typical_of_all(searched)
    model = searched.models()[0]
    both = [found(searched, search, model) for search in ("study", "minimal")]
    means = pd.concat(both, axis=1).dropna().mean(axis=1).sort_index()
    assert choice.image == (means - means.median()).abs().idxmin() and choice.image in told


def test_a_scattered_set_has_no_outlines_that_would_hide_it() -> None:
    block, dots = np.zeros((60, 60), dtype=bool), np.zeros((60, 60), dtype=bool)
    block[10:30, 10:30], dots[::3, ::3] = True, True
    few = np.zeros((60, 60), dtype=bool)
    few[5, 5:30:5] = True
    assert [scattered(each) for each in (block, dots, few)] == [False, True, False]


def test_where_no_search_found_a_set_there_is_no_figure(searched: StudyResults) -> None:
    areas = searched.searches.areas.assign(status="unstable")
    with pytest.raises(NothingToShow, match="No search of lite0 found a set on any image"):
        SEARCH_FIGURES["methods"](
            dataclasses.replace(searched, searches=dataclasses.replace(searched.searches, areas=areas))
        )
